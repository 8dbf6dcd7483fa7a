"""A writer that lost its connection reconnects by itself; what was under way happens once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Literal

import psycopg
import pytest

from serverdomain import OutcomeUnknown, Refused, Servers, StoreError
from serverdomain.domain import commands as c
from serverdomain.store.log import Log
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.store.request import Outcome, Request
from serverdomain.testing.contract import NOW, OTHER, SECOND, SERVER, adopted, ask, under
from tests.store.postgresql.proxy import Proxy

When = Literal["before", "after"]
Owner = psycopg.Connection[tuple[object, ...]]
WRITES = b"WITH h AS"


@pytest.fixture
def owner(server_url: str) -> Iterator[Owner]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def proxy(log_url: str) -> Iterator[Proxy]:
    with closing(Proxy(log_url)) as proxy:
        yield proxy


@pytest.fixture
def node(proxy: Proxy) -> Iterator[PostgreSQLLog]:
    """A node behind the proxy, whose log holds a server."""
    with closing(PostgreSQLLog(Address(proxy.url))) as node:
        ask(node, adopted(), "req-1")
        yield node


def requests_of(log: Log) -> list[str]:
    with log.reading() as reading:
        return [one.command.request_id for one in reading.events(0, 10_000).events]


def request(request_id: str, command: c.Command, server_id: str = SERVER) -> Request:
    now = NOW + 60 * SECOND
    return Request(server_id=server_id, command=command, context=under(request_id), now=now)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_command_under_way_is_sent_again_and_happens_once(
    node: PostgreSQLLog, proxy: Proxy, when: When
) -> None:
    proxy.cut_at(WRITES, when)
    outcome = ask(node, c.StopServer(), "req-2", at=60)
    assert proxy.has_cut.wait(60)
    assert (outcome.position, outcome.replayed) == (2, False)
    assert outcome.server is not None
    assert outcome.server.status == "SHUTOFF"
    assert requests_of(node) == ["req-1", "req-2"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_of_a_batch_each_is_answered_once_and_refused_once(
    node: PostgreSQLLog, proxy: Proxy, when: When
) -> None:
    proxy.cut_at(WRITES, when)
    stopped, refused, registered, again = node.accept_many(
        [
            request("req-2", c.StopServer()),
            request("req-3", c.StopServer()),
            request("req-4", adopted(OTHER), OTHER),
            request("req-1", adopted()),
        ]
    )
    assert proxy.has_cut.wait(60)
    assert isinstance(refused, Refused)
    outcomes = [one for one in (stopped, registered, again) if isinstance(one, Outcome)]
    assert [(one.position, one.replayed) for one in outcomes] == [
        *((2, False), (4, False), (1, True))
    ]
    assert requests_of(node) == ["req-1", "req-2", "req-3", "req-4"]
    with node.reading() as reading:
        assert reading.so_far(OTHER).server == outcomes[1].server


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_refusal_alone_is_kept_once(node: PostgreSQLLog, proxy: Proxy, when: When) -> None:
    proxy.cut_at(WRITES, when)
    with pytest.raises(Refused):
        ask(node, c.StartServer(), "req-2", at=60)
    assert requests_of(node) == ["req-1", "req-2"]


def test_who_asked_is_given_the_password_though_the_answer_was_lost(
    node: PostgreSQLLog, proxy: Proxy
) -> None:
    with Servers.open(proxy.url) as servers:
        proxy.cut_at(WRITES, "after")
        image = "70a599e0-31e7-49b7-b260-868f441e862b"
        rebuilt = servers.rebuild(SERVER, c.RebuildServer(image_id=image))
        assert proxy.has_cut.is_set()
    assert rebuilt.admin_pass is not None


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_sent_again_is_another_row_than_what_may_be_lost(
    node: PostgreSQLLog, proxy: Proxy, when: When
) -> None:
    proxy.cut_at(WRITES, when)
    ask(node, c.StopServer(), "req-2", at=60)
    with node.reading() as reading:
        command = reading.recorded(SERVER)[-1].command
    assert (command.recorded_at > NOW + 60 * SECOND) is (when == "before")


def test_a_connection_lost_before_anything_was_sent_is_replaced(
    node: PostgreSQLLog, proxy: Proxy
) -> None:
    proxy.cut_at(b"c.request_id = ", "before")
    assert ask(node, c.StopServer(), "req-2", at=60).position == 2
    assert proxy.has_cut.is_set()


@pytest.mark.parametrize("when", ["before", "after"])
def test_of_a_server_that_stays_away_the_outcome_is_unknown(
    proxy: Proxy, when: When, log_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.3")
    with closing(PostgreSQLLog(Address(proxy.url))) as node:
        ask(node, adopted(), "req-1")
        proxy.cut_at(WRITES, when, for_good=True)
        with pytest.raises(OutcomeUnknown, match="req-2"):
            ask(node, c.StopServer(), "req-2", at=60)
        assert proxy.has_cut.wait(60)
        with pytest.raises(StoreError, match="cannot be reached"):
            ask(node, c.StopServer(), "req-2", at=60)
    with closing(PostgreSQLLog(Address(log_url))) as other:
        again = ask(other, c.StopServer(), "req-2", at=60)
        assert (again.position, again.replayed) == (2, when == "after")


@pytest.mark.parametrize("when", ["before", "after"])
def test_on_a_silent_network_a_command_is_sent_again_too(
    proxy: Proxy, when: When, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.5")
    with closing(PostgreSQLLog(Address(proxy.url))) as node:
        ask(node, adopted(), "req-1")
        proxy.swallow_at(WRITES, when)
        outcome = ask(node, c.StopServer(), "req-2", at=60)
        assert proxy.has_cut.is_set()
        assert (outcome.position, outcome.replayed) == (2, False)
        assert requests_of(node) == ["req-1", "req-2"]


def test_of_a_network_that_swallows_a_question_the_end_is_an_error(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.05")
    with closing(PostgreSQLLog(Address(proxy.url))) as node:
        proxy.swallow_at(b"e.position", "after")
        with pytest.raises(StoreError, match=r"no answer came in 0\.5 s"):
            requests_of(node)
        assert requests_of(node) == []


def test_a_commit_whose_replica_was_not_waited_for_is_made_sure_by_one_more(
    log_url: str, owner: Owner
) -> None:
    schema = Address(log_url).schema
    owner.execute(
        f"CREATE FUNCTION {schema}.warn() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication'; RETURN NULL; END $$;"
        f" CREATE TRIGGER warn AFTER INSERT ON {schema}.stored_events FOR EACH STATEMENT"
        f" EXECUTE FUNCTION {schema}.warn()"
    )
    try:
        with closing(PostgreSQLLog(Address(log_url))) as log:
            outcome = ask(log, adopted(), "req-1")
            assert (outcome.position, outcome.replayed) == (1, False)
    finally:
        owner.execute(f"DROP FUNCTION {schema}.warn CASCADE")
