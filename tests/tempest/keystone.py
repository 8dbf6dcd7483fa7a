"""A Keystone that knows a few accounts: enough for Tempest to find the endpoint and a token for it.

It answers the one call that a client makes of Keystone before it acts: a name and a password for a
token with a catalog. Nothing here is the endpoint's, which asks no Keystone.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PROJECT = "6f70656e737461636b"
DOMAIN = {"id": "default", "name": "Default"}


class Account(NamedTuple):
    """Who may ask for a token, and the one that they get."""

    user: str
    password: str
    token: str
    role: str


ACCOUNTS = tuple(
    Account(f"tempest-{role}", f"{role}-password", f"{role}-token", role)
    for role in ("member", "reader", "admin")
)


def tokens() -> dict[str, dict[str, object]]:
    """The tokens that it gives, as the endpoint is told of them."""
    return {
        account.token: {"user": account.user, "project": PROJECT, "roles": [account.role]}
        for account in ACCOUNTS
    }


def keystone(compute: str) -> Starlette:
    """The stand-in; its catalog names a Compute endpoint."""
    catalog = [
        {
            "id": "compute",
            "name": "nova",
            "type": "compute",
            "endpoints": [
                {
                    "id": f"compute-{interface}",
                    "interface": interface,
                    "region": "RegionOne",
                    "region_id": "RegionOne",
                    "url": compute,
                }
                for interface in ("public", "internal", "admin")
            ],
        }
    ]

    async def authenticate(request: Request) -> Response:
        asked = (await request.json())["auth"]["identity"]["password"]["user"]
        for account in ACCOUNTS:
            if (account.user, account.password) == (asked.get("name"), asked["password"]):
                token = {"token": _token(account, catalog)}
                return JSONResponse(token, 201, headers={"X-Subject-Token": account.token})
        return JSONResponse({"error": {"code": 401, "message": "unknown", "title": "?"}}, 401)

    return Starlette(routes=[Route("/v3/auth/tokens", authenticate, methods=["POST"])])


def _token(account: Account, catalog: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "methods": ["password"],
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": "2099-01-01T00:00:00.000000Z",
        "user": {"id": account.user, "name": account.user, "domain": DOMAIN},
        "project": {"id": PROJECT, "name": PROJECT, "domain": DOMAIN},
        "roles": [{"id": account.role, "name": account.role}],
        "catalog": catalog,
    }


@contextmanager
def running(compute: str) -> Iterator[str]:
    """The stand-in on a free port, in a thread; gives its URL."""
    taken = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(keystone(compute), log_level="warning", lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v3"
    finally:
        server.should_exit = True
        thread.join(10)
