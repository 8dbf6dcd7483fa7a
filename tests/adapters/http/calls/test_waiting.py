"""Calls that wait for a lock wait apart: whoever only reads is answered beside them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from serverdomain import Servers
from serverdomain.adapters.http import compute_app
from serverdomain.adapters.http.calls.waits import MOST
from serverdomain.testing.store_contract import SERVER, adopted

SHOW = f"/v2.1/servers/{SERVER}/metadata"
SECONDS = 20


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        servers.register(adopted())
        servers.list()
        yield servers


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """As long as another process writes to a file."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def beside(
    servers: Servers, path: Path, waiting: tuple[str, str], answered: list[str]
) -> None:
    app = compute_app(servers, hypervisor=None)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await client.get("/v2.1/images")
        method, url = waiting
        with locked(path) as other:
            waits = [
                asyncio.ensure_future(client.request(method, url, json={"metadata": {"a": str(n)}}))
                for n in range(sum(MOST.values()))
            ]
            async with asyncio.timeout(SECONDS):
                for asked in answered:
                    assert (await client.get(asked)).status_code == 200
            assert not [one.result().text for one in waits if one.done()]
            other.execute("ROLLBACK")
        assert {one.status_code for one in await asyncio.gather(*waits)} == {200}


def test_commands_that_wait_for_the_log_take_no_readers_place(
    servers: Servers, tmp_path: Path
) -> None:
    commanding = ("POST", f"/v2.1/servers/{SERVER}/metadata")
    asyncio.run(
        beside(servers, tmp_path / "cloud.db", commanding, [SHOW, "/v2.1/servers", "/v2.1/images"])
    )


def test_lists_that_wait_for_the_view_take_nobody_elses_place(
    servers: Servers, tmp_path: Path
) -> None:
    servers.rename(SERVER, "which the view does not show yet")
    listing = ("GET", "/v2.1/servers")
    asyncio.run(beside(servers, servers.view.path or tmp_path, listing, [SHOW, "/v2.1/images"]))
