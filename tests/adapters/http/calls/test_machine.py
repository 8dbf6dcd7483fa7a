"""The hypervisor is started with the app, or at the first call, and stopped with it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from serverdomain import Servers
from serverdomain.adapters.http import compute_app
from tests.adapters.http.client import IMAGE, SERVER, Client, Endpoint, by_name


class Hypervisors:
    """Counts those that were started and stopped."""

    def __init__(self) -> None:
        self.started: list[Servers] = []
        self.stopped = 0

    def __call__(self, servers: Servers) -> Hypervisors:
        self.started.append(servers)
        return self

    def stop(self) -> None:
        self.stopped += 1


def test_it_is_started_and_stopped_with_the_app() -> None:
    hypervisors = Hypervisors()
    with Endpoint(hypervisor=hypervisors) as endpoint:

        async def live() -> None:
            told, ready = asyncio.Queue(), asyncio.Queue()
            scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
            app = asyncio.ensure_future(endpoint.app(scope, told.get, ready.put))
            await told.put({"type": "lifespan.startup"})
            assert (await ready.get())["type"] == "lifespan.startup.complete"
            assert hypervisors.started == [endpoint.servers]
            assert hypervisors.stopped == 0
            await told.put({"type": "lifespan.shutdown"})
            assert (await ready.get())["type"] == "lifespan.shutdown.complete"
            await app

        endpoint.ask.run(live())
        assert (len(hypervisors.started), hypervisors.stopped) == (1, 1)
        endpoint.ask.get("/v2.1/servers")
        assert len(hypervisors.started) == 2, "an app that is used again has one again"


def test_where_no_lifespan_is_run_the_first_call_starts_it() -> None:
    hypervisors = Hypervisors()
    with Endpoint(hypervisor=hypervisors) as endpoint:
        endpoint.ask.get("/v2.1/")
        assert hypervisors.started == [], "a version document starts nothing"
        for _ in range(3):
            endpoint.ask.get("/v2.1/servers")
        assert hypervisors.started == [endpoint.servers]


def test_calls_that_come_together_start_one() -> None:
    hypervisors = Hypervisors()
    with Endpoint(hypervisor=hypervisors) as endpoint:

        async def together() -> None:
            http = httpx.AsyncClient(
                transport=httpx.ASGITransport(endpoint.app),
                base_url="http://localhost",
                headers={"X-Auth-Token": "member"},
            )
            await asyncio.gather(*(http.get("/v2.1/servers") for _ in range(3)))
            await http.aclose()

        endpoint.ask.run(together())
        assert hypervisors.started == [endpoint.servers]


def test_one_that_cannot_be_started_is_tried_again() -> None:
    attempts: list[Any] = []

    def hypervisor(servers: Servers) -> Hypervisors:
        attempts.append(servers)
        if len(attempts) == 1:
            raise OSError
        return Hypervisors()

    with Endpoint(hypervisor=hypervisor) as endpoint:
        assert endpoint.ask.get("/v2.1/servers").status_code == 500
        assert endpoint.ask.get("/v2.1/servers").status_code == 200


def test_the_simulated_one_is_the_default() -> None:
    with Servers.open("memory:") as servers:
        app = compute_app(servers, authenticate=by_name)
        ask = Client(app, user="member")
        body = {"server": {"name": "a", "imageRef": IMAGE, "flavorRef": "1"}}

        ask("POST", "/v2.1/servers", json=body)

        assert [bookmark.name for bookmark in servers.reactions()] == ["hypervisor"]
        ask.close()


def test_a_websocket_is_closed(endpoint: Endpoint) -> None:
    told: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    scope = {"type": "websocket", "path": f"/v2.1/servers/{SERVER}", "headers": []}
    endpoint.ask.run(endpoint.app(scope, None, send))

    assert [message["type"] for message in told] == ["websocket.close"]
