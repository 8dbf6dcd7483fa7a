"""Whoever writes knows where the log ends from the transaction before, and never wrongly."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import Context, OutcomeUnknown, Servers
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.sqlite import SQLiteLog
from serverdomain.testing.store_contract import SERVER, adopted
from tests.store.together import together


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.db"


@pytest.fixture
def servers(path: Path) -> Iterator[Servers]:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        yield servers


def log_of(servers: Servers) -> SQLiteLog:
    assert isinstance(servers._log, SQLiteLog)
    return servers._log


def statements(servers: Servers) -> list[str]:
    """What its connection that writes is asked from now on."""
    asked: list[str] = []
    writer = log_of(servers).connections.open.writer
    assert writer is not None
    writer.set_trace_callback(asked.append)
    return asked


def reads_the_end(asked: list[str]) -> bool:
    return any("sqlite_sequence WHERE" in statement for statement in asked)


def test_the_end_is_not_read_where_nobody_else_has_written(servers: Servers) -> None:
    asked = statements(servers)
    assert servers.rename(SERVER, "second").position == 2
    assert servers.rename(SERVER, "third").position == 3
    assert asked
    assert not reads_the_end(asked)


def test_it_is_read_where_another_connection_has_committed(servers: Servers, path: Path) -> None:
    with Servers.open(f"sqlite:///{path}") as others:
        for name, position in (("second", 2), ("fourth", 4)):
            assert others.rename(SERVER, name).position == position
            asked = statements(servers)
            assert servers.rename(SERVER, f"behind {name}").position == position + 1
            assert reads_the_end(asked)


def test_it_is_read_on_a_new_connection(servers: Servers, path: Path) -> None:
    servers.rename(SERVER, "second")
    log_of(servers).connections.open.drop_writer()
    with Servers.open(f"sqlite:///{path}") as others:
        assert others.rename(SERVER, "third").position == 3
    assert servers.rename(SERVER, "fourth").position == 4


def test_it_is_read_behind_a_transaction_that_was_not_committed(servers: Servers) -> None:
    with pytest.raises(ZeroDivisionError), log_of(servers).writing():
        raise ZeroDivisionError
    asked = statements(servers)
    assert servers.rename(SERVER, "second").position == 2
    assert reads_the_end(asked)


def test_it_is_read_behind_a_commit_of_which_nobody_knows(servers: Servers) -> None:
    connections = log_of(servers).connections

    def commits_and_fails(action: int, what: str | None, *_: object) -> int:
        denied = action == sqlite3.SQLITE_TRANSACTION and what == "COMMIT"
        return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK

    writer = connections.open.writer
    assert writer is not None
    writer.set_authorizer(commits_and_fails)
    with pytest.raises(OutcomeUnknown):
        servers.rename(SERVER, "second")
    writer.set_authorizer(None)
    asked = statements(servers)
    assert servers.rename(SERVER, "second anew").position == 2
    assert reads_the_end(asked)


def test_it_is_read_behind_what_is_no_command(servers: Servers) -> None:
    assert log_of(servers).keep_bookmark(Bookmark("mail", 1, None, None), None)
    asked = statements(servers)
    assert servers.rename(SERVER, "second").position == 2
    assert reads_the_end(asked)


def test_an_edit_of_what_it_counts_by_is_seen(servers: Servers, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as somebody:
        somebody.execute("UPDATE sqlite_sequence SET seq = 9 WHERE name = 'stored_events'")
    assert servers.rename(SERVER, "tenth").position == 10


def test_several_request_ids_are_looked_up_at_once(servers: Servers, path: Path) -> None:
    taken = Context(request_id="req-taken")
    first = servers.rename(SERVER, "first", taken)
    asked = statements(servers)
    came = together(
        path,
        [
            lambda: servers.rename(SERVER, "other"),
            lambda: servers.rename(SERVER, "first", taken),
            lambda: servers.rename(SERVER, "twice", Context(request_id="req-twice")),
            lambda: servers.rename(SERVER, "twice", Context(request_id="req-twice")),
        ],
    )

    told = [(one.position, one.replayed) for one in came]  # type: ignore[union-attr]
    assert told == [(3, False), (first.position, True), (4, False), (4, True)]
    looks = [statement for statement in asked if "request_id IN" in statement]
    # The first found nobody writing, and may have begun before the others came.
    assert 1 <= len(looks) <= 2
