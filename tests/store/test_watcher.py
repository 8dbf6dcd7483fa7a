"""The mark that says whether anything was committed: one connection, and nobody waits for it."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from serverdomain import Servers
from serverdomain.store.sqlite.connections import Connections
from serverdomain.store.sqlite.place import Place
from serverdomain.store.sqlite.watcher import Watcher
from serverdomain.testing.store_contract import SERVER, adopted


@pytest.fixture
def connections(tmp_path: Path) -> Connections:
    with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        servers.register(adopted())
    return Connections(Place(tmp_path / "cloud.db"))


def test_threads_that_ask_at_once_share_one_connection(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    second = Event()
    really = sqlite3.connect

    def slow(*given: Any, **options: Any) -> sqlite3.Connection:
        opened.append(given)
        if len(opened) > 1:
            second.set()
        second.wait(0.2)  # For another thread, which should not come.
        return really(*given, **options)

    monkeypatch.setattr(sqlite3, "connect", slow)
    watcher = Watcher(connections)
    with ThreadPoolExecutor(4) as threads:
        marks = {*threads.map(lambda _: watcher.mark(), range(4))}
    assert len(marks) == len(opened) == 1
    watcher.close()


def test_it_waits_for_no_lock(connections: Connections) -> None:
    watcher = Watcher(connections)
    assert watcher.mark() is not None
    assert watcher._connection is not None
    assert watcher._connection.execute("PRAGMA busy_timeout").fetchone() == (0,)
    watcher.close()
    assert watcher.mark() is None


def test_a_connection_that_is_opened_anew_gives_no_mark_a_second_time(
    connections: Connections, tmp_path: Path
) -> None:
    watcher = Watcher(connections)
    before = watcher.mark()
    assert watcher.let_go()
    watcher.take_up()
    with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        servers.rename(SERVER, "meanwhile")
        assert watcher.mark() != before
    watcher.close()


def test_of_a_file_that_is_gone_there_is_no_mark(connections: Connections, tmp_path: Path) -> None:
    watcher = Watcher(connections)
    assert watcher.mark() is not None
    (tmp_path / "cloud.db").rename(tmp_path / "aside.db")
    assert watcher.mark() is None
    watcher.close()
