"""A client of an app in this process, which asks and waits like any script does."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from typing import Any

import httpx

from serverdomain import Actor, Servers
from serverdomain.adapters.http import compute_app
from serverdomain.testing import ManualClock, registered

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
OTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
SERVER = "075e40fe-9f03-4652-ba8e-5f8e2547899a"

ACTORS = {
    "member": Actor("fake", "openstack", ("reader", "member")),
    "reader": Actor("fake", "openstack", ("reader",)),
    "admin": Actor("root", "openstack", ("reader", "member", "admin")),
    "odd": Actor("fake", "a/b é", ("reader", "member")),
    "stranger": Actor("other", "elsewhere", ("reader", "member")),
}


def by_name(request: Any) -> Actor | None:
    """A hook for whom a token is the caller's name."""
    return ACTORS.get(request.headers.get("x-auth-token", ""))


class Client:
    """Asks an app, as ``user`` unless told otherwise."""

    def __init__(self, app: Any, base_url: str = "http://localhost:8774", user: str = "") -> None:
        self._runner = asyncio.Runner()
        # For a test that fails, or forgets, in the middle: its loop is not left to others' tests.
        weakref.finalize(self, self._runner.close)
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=True), base_url=base_url
        )
        self._user = user

    def __call__(
        self, method: str, path: str, json: Any = None, user: str | None = None, **asked: Any
    ) -> httpx.Response:
        headers = httpx.Headers(asked.pop("headers", {}))
        if user or self._user:
            headers.setdefault("X-Auth-Token", user or self._user)
        if json is not None:
            asked["json"] = json
        return self._runner.run(self._http.request(method, path, headers=headers, **asked))

    def get(self, path: str, **asked: Any) -> httpx.Response:
        return self("GET", path, **asked)

    def act(self, action: Any, server_id: str = SERVER, **asked: Any) -> httpx.Response:
        return self("POST", f"/v2.1/servers/{server_id}/action", json=action, **asked)

    def run(self, coroutine: Any) -> Any:
        return self._runner.run(coroutine)

    def close(self) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()


class Endpoint:
    """A store in memory with one server, and a client of the app over it."""

    def __init__(self, clock: ManualClock | None = None, **settings: Any) -> None:
        self.servers = Servers.open("memory:", **({} if clock is None else {"clock": clock}))
        settings.setdefault("authenticate", by_name)
        settings.setdefault("hypervisor", None)
        self.app = compute_app(self.servers, **settings)
        self.ask = Client(self.app, user="member")
        self.register()

    def register(self, server_id: str = SERVER, **members: Any) -> str:
        beginning = registered(server_id=server_id, **members)
        self.servers.record(server_id, [beginning])
        return server_id

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.ask.close()
        self.servers.close()


def fault_of(answer: httpx.Response) -> tuple[int, str]:
    """The status and the name of the fault in an answer that is the documented envelope."""
    ((name, fault),) = answer.json().items()
    assert set(fault) == {"code", "message"}
    assert fault["code"] == answer.status_code
    assert fault["message"]
    return answer.status_code, name


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
