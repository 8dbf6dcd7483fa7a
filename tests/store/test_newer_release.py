"""An event of a newer release stops what reads it, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import Servers, UnknownEvent
from serverdomain.testing.store_contract import OTHER, SERVER, adopted


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    path = tmp_path / "cloud.db"
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        servers.register(adopted(OTHER))
        with closing(sqlite3.connect(path)) as newer:
            newer.execute(
                "INSERT INTO stored_events"
                " (originator_id, originator_version, topic, state, command_id)"
                " VALUES (?, 2, 'serverdomain:ServerPainted:1', '{}', 1)",
                (SERVER.replace("-", ""),),
            )
            newer.commit()
        yield servers


def test_it_stops_that_servers_get_history_and_commands(servers: Servers) -> None:
    for ask in (servers.get, servers.history, servers.stop):
        with pytest.raises(UnknownEvent, match="ServerPainted") as unknown:
            ask(SERVER)
        assert unknown.value.position == 3


def test_other_servers_go_on(servers: Servers) -> None:
    servers.stop(OTHER)

    assert servers.get(OTHER).status == "SHUTOFF"
    assert [entry.name for entry in servers.history(OTHER)] == ["ServerRegistered", "ServerStopped"]


def test_it_stops_the_view_at_its_position_again_and_again(servers: Servers) -> None:
    servers.stop(OTHER)
    for _ in range(2):
        with pytest.raises(UnknownEvent):
            servers.list()

    status = servers.view.status()
    assert (status.position, status.head, status.servers) == (2, 4, 2)
