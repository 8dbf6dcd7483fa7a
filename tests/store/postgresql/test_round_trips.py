"""How often a batch of commands asks the server, however many there are: it may be far away.

Who wrote last, and a moment ago, knows where the log ends and sends one statement. Whatever that
cannot tell to be of today is looked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from threading import get_ident
from typing import Any
from uuid import UUID

import psycopg
import pytest

from serverdomain import Refused, Servers
from serverdomain.domain import commands as c
from serverdomain.store.log import Log
from serverdomain.store.postgresql import ending
from serverdomain.store.postgresql.connection import Watched
from serverdomain.testing.contract import OTHER, SERVER, adopted, asked, under


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What this thread sends to the server."""
    sent: list[str] = []
    execute, here = Watched.execute, get_ident()

    def noted(self: Watched, query: Any, *arguments: Any, **named: Any) -> Any:
        if get_ident() == here:
            sent.append(" ".join(str(query).split())[:40])
        return execute(self, query, *arguments, **named)

    monkeypatch.setattr(Watched, "execute", noted)
    return sent


@pytest.fixture
def servers(log_url: str) -> Iterator[Servers]:
    with Servers.open(log_url) as servers:
        servers.register(adopted())
        servers.register(adopted(OTHER))
        servers.stop(SERVER)
        servers.stop(OTHER)
        yield servers


def _many(log: Log, first: int, many: int) -> None:
    log.accept_many(
        [
            asked(c.UpdateMetadata(metadata={"a": f"{number}"}), f"req-{number}", of)
            for number in range(first, first + many)
            for of in [(SERVER, OTHER)[number % 2]]
        ]
    )


def _begins(statements: list[str]) -> list[str]:
    return [one.split(" ")[0] for one in statements]


@pytest.fixture
def other(log_url: str) -> Iterator[Servers]:
    with Servers.open(log_url) as other:
        yield other


@pytest.mark.parametrize("count", [1, 16])
def test_who_seems_to_be_alone_says_what_to_write_and_asks_nothing(
    servers: Servers, statements: list[str], count: int
) -> None:
    _many(servers._log, 0, count)
    assert _begins(statements) == ["WITH"]
    assert servers.get(SERVER).version == 2 + (count + 1) // 2
    assert servers.check() == []


@pytest.mark.parametrize("count", [1, 16])
def test_who_has_not_written_of_late_asks_where_the_log_ends_and_which_ids_are_taken(
    servers: Servers, statements: list[str], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "_FRESH", 0)
    _many(servers._log, 0, count)
    assert _begins(statements) == ["SELECT", "SELECT", "WITH"]


def test_what_another_node_wrote_is_asked_for_too_and_once(
    servers: Servers, other: Servers, statements: list[str]
) -> None:
    other.start(SERVER)
    firsts = count(step=16)
    for expected in (
        # The statement finds another end, and all is asked: the end, what was there and came since.
        ["WITH", *["SELECT"] * 4, "WITH"],
        ["SELECT", "SELECT", "WITH"],
        ["WITH"],
    ):
        statements.clear()
        _many(servers._log, next(firsts), 16)
        assert _begins(statements) == expected
    assert servers.get(SERVER).version == 3 + 3 * 8
    assert servers.check() == []


def test_servers_that_a_node_has_not_seen_are_read_at_once(
    servers: Servers, other: Servers, statements: list[str]
) -> None:
    statements.clear()
    _many(other._log, 0, 16)
    assert _begins(statements) == [*["SELECT"] * 3, "WITH"]


def test_many_new_servers_are_written_by_one_statement(
    servers: Servers, statements: list[str]
) -> None:
    with servers.bulk() as bulk:
        for number in range(20):
            new = bulk.register(adopted(str(UUID(int=number + 1))))
            bulk.stop(new)
    assert _begins(statements) == ["SELECT", "WITH"]
    assert servers.check() == []


# What the statement cannot tell


def test_what_another_wrote_is_noticed_though_nothing_would_be_written(
    servers: Servers, other: Servers
) -> None:
    servers.rename(SERVER, "mine")
    other.rename(SERVER, "theirs")
    assert servers.rename(SERVER, "mine").events
    other.lock(SERVER, under("req-lock"))
    with pytest.raises(Refused, match="locked"):
        servers.start(SERVER, under("req-start"))
    servers.rename(OTHER, "mine")
    other.unlock(SERVER, under("req-unlock"))
    assert servers.start(SERVER, under("req-start")).events
    servers.rename(OTHER, "another")
    other.rename(OTHER, "theirs")
    version = other.get(OTHER).version
    assert servers.rename(OTHER, "mine", expected_version=version).events
    assert servers.check() == []


def test_a_command_that_happened_elsewhere_gets_its_first_outcome_though_it_would_be_refused_now(
    servers: Servers, other: Servers
) -> None:
    first = other.stop(SERVER, under("req-stop")) if other.start(SERVER) else None
    assert first is not None
    other.lock(SERVER)
    servers.rename(OTHER, "mine")
    servers.rename(OTHER, "another")
    again = servers.stop(SERVER, under("req-stop"))
    assert (again.replayed, again.position) == (True, first.position)
    # Under this id it happened here, and only here is it known.
    here = servers.rename(OTHER, "mine", under("req-here"))
    assert servers.rename(OTHER, "mine", under("req-here")).position == here.position


def test_a_row_that_is_another_at_the_same_position_is_not_written_behind(
    servers: Servers, server_url: str, statements: list[str]
) -> None:
    schema = servers._log.address.schema  # type: ignore[attr-defined]
    with psycopg.connect(server_url, autocommit=True) as owner:
        owner.execute(
            "SET session_replication_role = replica;"
            f" UPDATE {schema}.commands SET request_id = 'req-another'"
            f" WHERE command_id = (SELECT MAX(command_id) FROM {schema}.commands)"
        )
    statements.clear()
    _many(servers._log, 0, 1)
    assert _begins(statements)[:2] == ["WITH", "SELECT"]
