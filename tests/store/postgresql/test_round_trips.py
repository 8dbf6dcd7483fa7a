"""A batch of commands asks the server thrice, however many there are: it may be far away."""

from __future__ import annotations

from collections.abc import Iterator
from threading import get_ident
from typing import Any

import pytest

from serverdomain import Servers
from serverdomain.domain import commands as c
from serverdomain.store.log import Log
from serverdomain.store.postgresql.connection import Watched
from serverdomain.testing.contract import OTHER, SERVER, adopted, asked


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


def _many(log: Log, first: int, count: int) -> None:
    log.accept_many(
        [
            asked(c.UpdateMetadata(metadata={"a": f"{number}"}), f"req-{number}", of)
            for number in range(first, first + count)
            for of in [(SERVER, OTHER)[number % 2]]
        ]
    )


@pytest.mark.parametrize("count", [1, 16])
def test_it_is_told_where_the_log_ends_which_ids_are_taken_and_what_to_write(
    servers: Servers, statements: list[str], count: int
) -> None:
    _many(servers._log, 0, count)
    begins = [one.split(" ")[0] for one in statements]
    assert begins == ["SELECT", "SELECT", "WITH"]


def test_what_another_node_wrote_is_asked_for_too_and_once(
    log_url: str, servers: Servers, statements: list[str]
) -> None:
    with Servers.open(log_url) as other:
        other.start(SERVER)
    statements.clear()
    _many(servers._log, 0, 16)
    assert len(statements) == 5
    statements.clear()
    _many(servers._log, 16, 16)
    assert len(statements) == 3
    assert servers.get(SERVER).version == 3 + 16
    assert servers.check() == []
