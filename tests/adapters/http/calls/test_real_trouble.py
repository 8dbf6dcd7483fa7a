"""A store that is really locked and one that cannot grow, behind the endpoint."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
import pytest

from serverdomain import Servers
from serverdomain.adapters.http import compute_app
from serverdomain.testing import registered
from tests.adapters.http.client import IMAGE, SERVER, Client, by_name, fault_of

REBUILD = {"rebuild": {"imageRef": IMAGE}}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.1")
    return tmp_path / "cloud.db"


def test_a_locked_store_refuses_to_write_and_is_read_on(place: Path) -> None:
    with Servers.open(f"sqlite:///{place}") as servers:
        servers.record(SERVER, [registered()])
        ask = Client(compute_app(servers, authenticate=by_name, hypervisor=None), user="member")
        other = sqlite3.connect(place, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        assert fault_of(ask.act(REBUILD)) == (503, "serviceUnavailable")
        assert ask.get(f"/v2.1/servers/{SERVER}").status_code == 200

        other.execute("ROLLBACK")
        other.close()
        assert ask.act(REBUILD).status_code == 202
        ask.close()


def test_on_a_full_disk_a_call_is_503_and_its_retry_under_the_key_happens_once(
    place: Path,
) -> None:
    metadata = {f"{number:0>200}": "v" * 255 for number in range(100)}
    with Servers.open(f"sqlite:///{place}") as servers:
        servers.record(SERVER, [registered()])
        ask = Client(compute_app(servers, authenticate=by_name, hypervisor=None), user="member")

        def put() -> httpx.Response:
            return ask(
                "PUT",
                f"/v2.1/servers/{SERVER}/metadata",
                json={"metadata": metadata},
                headers={"Idempotency-Key": "k"},
            )

        limit(servers, "page_count")
        assert fault_of(put()) == (503, "serviceUnavailable")
        assert servers.get(SERVER).version == 1

        limit(servers, "1000000")
        assert [put().status_code, put().status_code] == [200, 200]
        assert servers.get(SERVER).version == 2
        ask.close()


def limit(servers: Servers, pages: str) -> None:
    """Let the store's file have so many pages, or as many as it has."""
    with servers._log.connections.writing() as connection:
        if pages == "page_count":
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
