"""What else may go wrong with a server far away, and what is told of it.

Elsewhere: what is lost in mid-commit, or swallowed (test_reconnecting.py), a restart and a replica
that lags (test_failover.py), a pool that is exhausted (test_writing.py), a role without INSERT
(test_page.py), another encoding and another release (test_making.py, and the contract).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from serverdomain import StoreError
from serverdomain.domain import commands as c
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.testing.contract import NOW, SECOND, SERVER, adopted, ask


@pytest.fixture
def owner(server_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        yield connection


def test_a_statement_that_takes_too_long_is_told_and_nothing_happened(
    log_url: str, owner: psycopg.Connection[tuple[object, ...]]
) -> None:
    limited = Address(f"{log_url}&options=-c%20statement_timeout%3D100")
    with closing(PostgreSQLLog(limited)) as log:
        ask(log, adopted(), "req-1")
        with owner.transaction():
            owner.execute(f"SELECT 1 FROM {limited.schema}.head FOR UPDATE")
            with pytest.raises(StoreError, match="did not answer in time, or was told to stop"):
                ask(log, c.StopServer(), "req-2", at=60)
        again = ask(log, c.StopServer(), "req-2", at=60)
    assert (again.position, again.replayed) == (2, False)


def test_where_a_nodes_clock_steps_back_the_log_does_not(log_url: str) -> None:
    with closing(PostgreSQLLog(Address(log_url))) as log:
        ask(log, adopted(), "req-1")
        ask(log, c.StopServer(), "req-2", at=60)
        ask(log, c.StartServer(), "req-3", at=-3600)
        with log.reading() as reading:
            last = reading.recorded(SERVER)[-1]
    assert last.recorded_at == last.occurred_at == NOW + 60 * SECOND
