"""A log is made once, by an owner, and nothing of somebody else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from uuid import uuid4

import psycopg
import pytest

from serverdomain import StoreError, StoreForeign, StoreMissing, StoreNewer
from serverdomain.store.postgresql import schema
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.store.postgresql.making import init
from serverdomain.testing.contract import adopted, ask


@pytest.fixture
def owner(server_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        yield connection


Owner = psycopg.Connection[tuple[object, ...]]


def tables(owner: Owner, name: str) -> list[object]:
    found = owner.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY 1",
        (name,),
    )
    return [table for (table,) in found]


def test_a_log_is_made_once(url: str) -> None:
    address = Address(url)
    assert init(address) is True
    with closing(PostgreSQLLog(address)) as log:
        ask(log, adopted(), "req-1")
        with log.reading() as reading:
            given = reading.log_id()
    assert init(address) is False
    with closing(PostgreSQLLog(address)) as log, log.reading() as reading:
        assert (reading.log_id(), reading.head()) == (given, 1)


def test_of_those_who_make_one_at_once_one_does(url: str) -> None:
    address = Address(url)
    with ThreadPoolExecutor(4) as pool:
        made = [*pool.map(lambda _: init(address), range(4))]
    assert sorted(made) == [False, False, False, True]
    with closing(PostgreSQLLog(address)) as log, log.examining() as examination:
        assert list(examination.findings()) == []


def test_opening_makes_nothing_and_says_what_does(url: str, owner: Owner) -> None:
    address = Address(url)
    with pytest.raises(StoreMissing, match=r"no store at .*: serverdomain store init makes one"):
        PostgreSQLLog(address)
    assert tables(owner, address.schema) == []


@pytest.mark.parametrize("theirs", ["stored_events", "commands"])
def test_a_table_that_is_not_ours_is_left_alone(url: str, owner: Owner, theirs: str) -> None:
    address = Address(url)
    owner.execute(f"CREATE SCHEMA {address.schema}")
    owner.execute(f"CREATE TABLE {address.schema}.{theirs} (notification_id bigint)")
    for use in (init, PostgreSQLLog):
        with pytest.raises(StoreForeign, match=f"holds {theirs} and no .*none of ours"):
            use(address)
    assert tables(owner, address.schema) == [theirs]


def test_a_log_of_a_newer_release_is_left_alone(url: str, owner: Owner) -> None:
    address = Address(url)
    init(address)
    owner.execute(f"UPDATE {address.schema}.schema_steps SET steps = steps + 1")
    for use in (init, PostgreSQLLog):
        with pytest.raises(StoreNewer, match=f"has schema version {len(schema.STEPS) + 1}"):
            use(address)


def test_an_older_log_is_brought_up_by_its_owner_alone(
    url: str, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = Address(url)
    init(address)
    step = ("CREATE TABLE {schema}.more (one text)",)
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, step))
    with pytest.raises(StoreMissing, match="as its owner, brings it there"):
        PostgreSQLLog(address)
    assert init(address) is True
    assert "more" in tables(owner, address.schema)
    PostgreSQLLog(address).close()


def test_a_database_that_cannot_hold_every_text_is_refused(server_url: str, owner: Owner) -> None:
    name = f"test_{uuid4().hex}"
    owner.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        other = server_url.replace("/postgres?", f"/{name}?")
        if other == server_url:
            pytest.skip("the server's URL names no database of that name")
        for use in (init, PostgreSQLLog):
            with pytest.raises(StoreError, match="keeps text as SQL_ASCII, a database in UTF8"):
                use(Address(other))
    finally:
        owner.execute(f"DROP DATABASE {name}")


def test_a_commit_that_may_be_lost_has_to_be_asked_for(url: str) -> None:
    init(Address(url))
    lower = f"{url}&options=-csynchronous_commit%3Doff"
    with pytest.raises(StoreError, match="synchronous_commit=off, with which a commit may be lost"):
        PostgreSQLLog(Address(lower))
    PostgreSQLLog(Address(f"{lower}&synchronous_commit=off")).close()


def test_each_statement_sees_what_was_committed_whatever_the_servers_default_is(url: str) -> None:
    init(Address(url))
    strict = f"{url}&options=-cdefault_transaction_isolation%3Dserializable"
    with closing(PostgreSQLLog(Address(strict))) as log:
        with log.connections.asked("SHOW transaction_isolation") as (_, found):
            pass
        ask(log, adopted(), "req-1")
    assert found == [("read committed",)]
