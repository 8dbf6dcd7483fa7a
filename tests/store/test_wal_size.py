"""The -wal is as long as what is in it has to be, however long it once was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from serverdomain import Servers
from serverdomain.store.sqlite import wal_size
from serverdomain.testing.store_contract import SERVER, adopted

KIB = 1024
LIMIT, LONGEST = 256 * KIB, 512 * KIB


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    monkeypatch.setattr(wal_size, "KEPT", LIMIT)
    monkeypatch.setattr(wal_size, "LONGEST", LONGEST)
    monkeypatch.setattr(wal_size, "EVERY", 1)
    with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        servers.register(adopted())
        yield servers


def write_much(servers: Servers, kib: int) -> None:
    """In one commit, which is quicker than many."""
    with servers._log.connections.writing() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS much (what BLOB)")
        connection.execute("INSERT INTO much VALUES (zeroblob(?))", (kib * KIB,))


def length(tmp_path: Path) -> int:
    return (tmp_path / "cloud.db-wal").stat().st_size


def reader(tmp_path: Path) -> sqlite3.Connection:
    """Another program's, that reads and stays."""
    connection = sqlite3.connect(
        tmp_path / "cloud.db", isolation_level=None, check_same_thread=False
    )
    connection.execute("BEGIN")
    connection.execute("SELECT COUNT(*) FROM stored_events").fetchone()
    return connection


def test_once_a_long_reader_has_left_it_is_short_again(servers: Servers, tmp_path: Path) -> None:
    with closing(reader(tmp_path)) as long:
        write_much(servers, 4 * 1024)
        write_much(servers, 4 * 1024)
        assert length(tmp_path) > 8 * 1024 * KIB, "as SQLite's must be"
        long.execute("ROLLBACK")
    for number in range(3):
        servers.rename(SERVER, f"name {number}")
    assert length(tmp_path) <= LIMIT


def test_what_was_written_at_once_does_not_stay_there(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own limit is enough where nobody reads, and costs no commit anything."""
    monkeypatch.setattr(wal_size, "LONGEST", 1024 * 1024 * KIB)
    write_much(servers, 8 * 1024)
    servers.rename(SERVER, "one more")
    assert length(tmp_path) <= LIMIT


def test_readers_who_follow_each_other_without_a_gap_do_not_let_it_grow_for_ever(
    servers: Servers, tmp_path: Path
) -> None:
    over = Event()

    def read() -> None:
        one = reader(tmp_path)
        while not over.is_set():
            another = reader(tmp_path)
            one.close()
            one = another
        one.close()

    thread = Thread(target=read)
    thread.start()
    try:
        for _ in range(100):
            write_much(servers, 256)
            if length(tmp_path) == 0:
                break
        else:
            pytest.fail(f"it is {length(tmp_path)} bytes long")
    finally:
        over.set()
        thread.join()


def test_a_short_one_is_left_alone(servers: Servers, tmp_path: Path) -> None:
    told: list[str] = []
    with servers._log.connections.writing() as connection:
        connection.set_trace_callback(told.append)
    for number in range(5):
        servers.rename(SERVER, f"name {number}")
    assert told
    assert not [statement for statement in told if "checkpoint" in statement]


def test_a_reader_who_stays_is_waited_for_now_and_then_alone(
    servers: Servers, tmp_path: Path
) -> None:
    told: list[str] = []
    with closing(reader(tmp_path)), servers._log.connections.writing() as connection:
        connection.set_trace_callback(told.append)
    with closing(reader(tmp_path)):
        write_much(servers, 1024)
        for number in range(5):
            servers.rename(SERVER, f"name {number}")
    assert len([statement for statement in told if "checkpoint" in statement]) == 1
