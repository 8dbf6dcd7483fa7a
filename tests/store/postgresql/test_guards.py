"""The optional guards: what the database itself refuses, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from serverdomain.store.postgresql import guards
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.store.postgresql.making import init
from serverdomain.testing.contract import OTHER, adopted, ask

Owner = psycopg.Connection[tuple[object, ...]]

_ROW = "INSERT INTO {}.stored_events VALUES (%s, 'theirs', %s, 'Theirs', '', NULL)"


@pytest.fixture(params=[True, False], ids=["guarded", "without guards"])
def guarded(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def address(url: str, guarded: bool) -> Address:
    """Where two events are."""
    address = Address(url)
    init(address, guarded=guarded)
    with closing(PostgreSQLLog(address)) as log:
        ask(log, adopted(), "req-1")
        ask(log, adopted(OTHER), "req-2", OTHER)
    return address


@pytest.fixture
def owner(address: Address, server_url: str) -> Iterator[Owner]:
    with psycopg.connect(server_url) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("table", ["stored_events", "commands", "log"])
@pytest.mark.parametrize(
    "what", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"], ids=lambda what: what[:6]
)
def test_what_is_written_stays(
    address: Address, owner: Owner, guarded: bool, table: str, what: str
) -> None:
    column = {"stored_events": "state", "commands": "members", "log": "log_id"}[table]
    statement = what.format(f"{address.schema}.{table}", column, column)
    if not guarded:
        owner.execute(statement)
        return
    with pytest.raises(psycopg.errors.RaiseException, match=f"{table} is append-only: {what[:6]}"):
        owner.execute(statement)


@pytest.mark.parametrize(
    "what",
    [
        "UPDATE {}.head SET position = 1",
        "UPDATE {}.head SET position = 7",
        "UPDATE {}.head SET command_id = 1",
        "UPDATE {}.head SET recorded_at = 0",
        "DELETE FROM {}.head",
        "INSERT INTO {}.head VALUES (9, 9, 9, 9)",
        _ROW.replace("%s", "3", 1).replace("%s", "1"),
        _ROW.replace("%s", "9", 1).replace("%s", "1"),
        "WITH h AS (UPDATE {0}.head SET position = position + 2) "
        + _ROW.replace("%s", "4", 1).replace("%s", "1").replace("{}", "{0}"),
    ],
)
def test_the_counter_grows_with_its_rows_alone(
    address: Address, owner: Owner, guarded: bool, what: str
) -> None:
    statement = what.format(address.schema)
    if not guarded:
        owner.execute(statement)
        return
    with pytest.raises(psycopg.errors.RaiseException, match=r"only grows|append-only"):
        owner.execute(statement)


def test_a_check_finds_a_guard_that_is_gone(address: Address, owner: Owner, guarded: bool) -> None:
    with closing(PostgreSQLLog(address)) as log:

        def found() -> list[str]:
            with log.examining() as examination:
                return [finding.what for finding in examination.findings()]

        assert found() == []
        if not guarded:
            return
        owner.execute(f"ALTER TABLE {address.schema}.head DISABLE TRIGGER head_grows")
        owner.execute(f"DROP TRIGGER log_append_only ON {address.schema}.log")
        owner.commit()
        assert found() == [
            "the guard log_append_only is missing or is switched off",
            "the guard head_grows is missing or is switched off",
        ]
        assert {"log_append_only", "head_grows"} <= guards.TRIGGERS.keys()


def test_a_check_compares_the_counter_with_the_rows(
    address: Address, owner: Owner, guarded: bool
) -> None:
    if guarded:
        owner.execute("SET session_replication_role = replica")
    owner.execute(f"UPDATE {address.schema}.head SET position = 7, command_id = 1")
    owner.execute(f"DELETE FROM {address.schema}.stored_events WHERE position = 1")
    owner.commit()
    with closing(PostgreSQLLog(address)) as log, log.examining() as examination:
        assert [finding.what for finding in examination.findings()] == [
            "stored_events ends at position 2, the last one given was 7",
            "stored_events ends at position 2 and has 1 rows",
            "commands ends at command_id 2, the last one given was 1",
        ]
