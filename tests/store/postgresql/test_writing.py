"""Decided first, written by one statement: beside others that write, and where it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from uuid import uuid4

import psycopg
import pytest

from serverdomain import Actor, Context, InvalidInput, OutcomeUnknown, StoreDamaged, StoreLocked
from serverdomain.domain import commands as c
from serverdomain.errors import Conflict, Refused
from serverdomain.store import accept as accepting
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.connections import MOST_CONNECTIONS
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.store.request import Outcome, Request
from serverdomain.testing.contract import NOW, OTHER, SECOND, SERVER, adopted, ask, under
from serverdomain.testing.scenario import ADMIN

Owner = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def log(log_url: str) -> Iterator[PostgreSQLLog]:
    with closing(PostgreSQLLog(Address(log_url))) as log:
        yield log


@pytest.fixture
def owner(server_url: str) -> Iterator[Owner]:
    with psycopg.connect(server_url, autocommit=True) as connection:
        yield connection


def positions(log: Log) -> list[int]:
    with log.reading() as reading:
        return [one.position for one in reading.events(0, 10_000).events]


# Beside others


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has something done by others once, right after the next command was decided."""
    decide = accepting.decide

    def arrange(work: Callable[[], object]) -> None:
        todo = [work]

        def decided(*given: object) -> object:
            try:
                return decide(*given)  # type: ignore[arg-type]
            finally:
                if todo:
                    todo.pop()()

        monkeypatch.setattr(accepting, "decide", decided)

    return arrange


def test_what_another_wrote_elsewhere_meanwhile_moves_the_numbers(
    log: PostgreSQLLog, log_url: str, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    ask(log, adopted(), "req-1")
    with closing(PostgreSQLLog(Address(log_url))) as other:
        meanwhile(lambda: ask(other, adopted(OTHER), "req-2", OTHER))
        outcome = ask(log, c.RenameServer(name="new"), "req-3", at=60)
    assert outcome.position == 3
    with log.reading() as reading:
        assert [one.position for one in reading.recorded(SERVER)] == [1, 3]
        assert reading.so_far(SERVER).server == outcome.server


def test_what_another_wrote_of_the_same_server_meanwhile_is_decided_on_anew(
    log: PostgreSQLLog, log_url: str, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    ask(log, adopted(), "req-1")
    with closing(PostgreSQLLog(Address(log_url))) as other:
        meanwhile(lambda: ask(other, c.LockServer(), "req-2", at=60))
        with pytest.raises(Refused, match="locked") as refused:
            ask(log, c.StopServer(), "req-3", at=60)
        assert refused.value.version == 2
        meanwhile(lambda: ask(other, c.UnlockServer(), "req-4", at=60))
        assert ask(log, c.RenameServer(name="new"), under("req-5", ADMIN), at=60).position == 5
    assert positions(log) == [1, 2, 3, 4, 5]


def test_a_batch_that_another_overtook_is_decided_anew_as_a_whole(
    log: PostgreSQLLog, log_url: str, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    ask(log, adopted(), "req-1")

    def request(request_id: str, command: c.Command, server_id: str = SERVER) -> Request:
        now = NOW + 60 * SECOND
        return Request(server_id=server_id, command=command, context=under(request_id), now=now)

    with closing(PostgreSQLLog(Address(log_url))) as other:
        meanwhile(lambda: ask(other, c.RenameServer(name="theirs"), "req-2", at=60))
        answers = log.accept_many(
            [
                request("req-3", c.StopServer()),
                request("req-4", c.StopServer()),
                request("req-5", adopted(OTHER), OTHER),
                request("req-6", c.StartServer()),
                request("req-1", adopted()),
            ]
        )
    stopped, refused, registered, started, again = answers
    assert isinstance(refused, Refused)
    outcomes = [one for one in (stopped, registered, started, again) if isinstance(one, Outcome)]
    assert [(one.position, one.replayed) for one in outcomes] == [
        *((3, False), (5, False), (6, False), (1, True))
    ]
    with log.reading() as reading:
        assert reading.so_far(SERVER).server == outcomes[2].server
        assert reading.so_far(OTHER).server == outcomes[1].server
        versions = [(one.version, one.position) for one in reading.recorded(SERVER)]
        assert versions == [(1, 1), (2, 2), (3, 3), (4, 6)]


def test_one_request_id_at_two_nodes_happens_once(
    log: PostgreSQLLog, log_url: str, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    ask(log, adopted(), "req-1")
    with closing(PostgreSQLLog(Address(log_url))) as other:
        meanwhile(lambda: ask(other, c.StopServer(), "req-2", at=60))
        outcome = ask(log, c.StopServer(), "req-2", at=60)
        assert (outcome.position, outcome.replayed) == (2, True)
        meanwhile(lambda: ask(other, c.StartServer(), "req-3", at=60))
        with pytest.raises(Conflict, match="req-3 is taken"):
            ask(log, c.RenameServer(name="new"), "req-3", at=60)
    assert positions(log) == [1, 2, 3]


def test_nodes_at_once_leave_no_gap_and_a_reader_beside_them_misses_nothing(
    log: PostgreSQLLog, log_url: str
) -> None:
    ask(log, adopted(), "req-0")
    nodes, many = 4, 15

    def write(node: int) -> None:
        with closing(PostgreSQLLog(Address(log_url))) as mine:
            for number in range(many):
                name = f"{node}-{number}"
                ask(mine, c.RenameServer(name=name), f"req-{name}", at=60)

    def follow() -> list[int]:
        seen: list[int] = []
        with closing(PostgreSQLLog(Address(log_url))) as mine:
            while len(seen) < 1 + nodes * many:
                mine.wait_past(len(seen), 60)
                with mine.reading() as reading:
                    seen += [fact.position for fact in reading.facts(len(seen), 7).events]
        return seen

    with ThreadPoolExecutor(nodes + 1) as pool:
        reader = pool.submit(follow)
        for _ in pool.map(write, range(nodes)):
            pass
        assert reader.result(60) == list(range(1, 2 + nodes * many))
    with log.reading() as reading:
        events = reading.events(0, 1000).events
        assert [one.version for one in events] == list(range(1, 2 + nodes * many))
        assert len({one.command.request_id for one in events}) == 1 + nodes * many
    with log.examining() as examination:
        assert list(examination.findings()) == []


def test_a_log_that_lies_ahead_of_a_nodes_clock_is_recorded_behind_it(
    log: PostgreSQLLog, log_url: str, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    ask(log, adopted(), "req-1")
    with closing(PostgreSQLLog(Address(log_url))) as other:
        meanwhile(lambda: ask(other, adopted(OTHER), "req-2", OTHER, at=900))
        ask(log, c.StopServer(), "req-3", at=60)
    with log.reading() as reading:
        first, second = reading.command("req-2"), reading.command("req-3")
    assert first is not None
    assert second is not None
    assert second.recorded_at == first.recorded_at
    assert second.occurred_at == NOW + 60 * SECOND


# What fails


def test_a_nul_is_refused_by_the_fields_name_before_anything_is_written(
    log: PostgreSQLLog,
) -> None:
    ask(log, adopted(), "req-1")
    for field, actor in (
        ("user_id", Actor("a\0b", "openstack")),
        ("project_id", Actor("fake", "a\0b", ("admin",))),
    ):
        with pytest.raises(InvalidInput, match=rf"^{field}: a NUL came"):
            ask(log, c.RenameServer(name="new"), Context(actor, "req-2"), at=60)
    assert positions(log) == [1]
    # In JSON it is written as an escape.
    ask(log, c.RenameServer(name="a\0b"), "req-2", at=60)
    with log.reading() as reading:
        server = reading.so_far(SERVER).server
    assert server is not None
    assert server.name == "a\0b"


def test_a_connection_that_went_before_is_replaced(log_url: str, owner: Owner) -> None:
    name = f"test_{uuid4().hex}"
    with closing(PostgreSQLLog(Address(f"{log_url}&application_name={name}"))) as log:
        ask(log, adopted(), "req-1")
        for work in (
            partial(ask, log, c.StopServer(), "req-2", at=60),
            partial(positions, log),
            log.asked_mark,
            partial(log.keep_bookmark, Bookmark("billing", 1), None),
        ):
            ended = owner.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                " WHERE application_name = %s",
                (name,),
            ).fetchall()
            assert {*ended} == {(True,)}
            work()
        assert positions(log) == [1, 2]


def test_a_commit_that_no_replica_has_is_never_acknowledged(
    log: PostgreSQLLog, owner: Owner
) -> None:
    ask(log, adopted(), "req-1")
    schema = log.address.schema
    owner.execute(
        f"CREATE FUNCTION {schema}.warn() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication'; RETURN NULL; END $$;"
        f" CREATE TRIGGER warn AFTER UPDATE ON {schema}.head FOR EACH STATEMENT"
        f" EXECUTE FUNCTION {schema}.warn()"
    )
    try:
        for _ in range(2):
            # The second finds that it is there, and that tells nothing more.
            with pytest.raises(OutcomeUnknown, match="canceling wait for synchronous replication"):
                ask(log, c.StopServer(), "req-2", at=60)
    finally:
        owner.execute(f"DROP FUNCTION {schema}.warn CASCADE")
    assert ask(log, c.StopServer(), "req-2", at=60).replayed


def test_without_its_counter_a_log_is_damaged(log: PostgreSQLLog, owner: Owner) -> None:
    ask(log, adopted(), "req-1")
    owner.execute(f"SET session_replication_role = replica; DELETE FROM {log.address.schema}.head")
    with pytest.raises(StoreDamaged, match="has no row in head"):
        ask(log, c.StopServer(), "req-2", at=60)
    assert positions(log) == [1]


def test_who_needs_one_more_connection_waits_for_it_as_for_a_lock(
    log_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.2")
    with closing(PostgreSQLLog(Address(log_url))) as log, ExitStack() as stack:
        for _ in range(MOST_CONNECTIONS):
            stack.enter_context(log.reading())
        with pytest.raises(StoreLocked, match="gave no connection in time"):
            positions(log)
        stack.close()
        assert positions(log) == []
