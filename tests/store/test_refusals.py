"""What a rule refused stands in the log beside the server, and never in anybody's way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from serverdomain import (
    Actor,
    Conflict,
    Context,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Refused,
    Servers,
    StoreError,
)
from serverdomain.domain.commands import Command, StartServer
from serverdomain.store import accept, refusals
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.sqlite import schema
from serverdomain.testing import OWNER, ManualClock, strategies
from serverdomain.testing.store_contract import SERVER, adopted

HEX = SERVER.replace("-", "")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.db"


@pytest.fixture
def servers(path: Path) -> Iterator[Servers]:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        yield servers


def refuse(servers: Servers, request_id: str = "req-1") -> Refused:
    with pytest.raises(Refused) as no:
        servers.start(SERVER, Context(OWNER, request_id))
    return no.value


def stored(servers: Servers) -> list[tuple[object, ...]]:
    with servers._log.connections.reading() as log:
        return log.execute(
            "SELECT originator_id, originator_version, refused, request_id, server_id"
            " FROM stored_events JOIN commands USING (command_id) WHERE refused = 1"
        ).fetchall()


def test_a_refusal_stands_in_a_stream_of_its_own_under_the_servers_command(
    servers: Servers,
) -> None:
    refuse(servers)
    refuse(servers)

    beside = uuid5(UUID(SERVER), "refusals").hex
    assert stored(servers) == [(beside, n, 1, "req-1", SERVER) for n in (1, 2)]


@pytest.mark.parametrize(("given", "kept"), [("on", 1), ("off", 0)])
def test_whether_refusals_are_kept_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, path: Path, given: str, kept: int
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_REFUSALS", given)
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        refuse(servers)
        assert len(stored(servers)) == kept
        assert len(servers.history(SERVER)) == 1 + kept


@pytest.mark.parametrize("given", ["", "0", "ON", "no"])
def test_another_setting_is_named_and_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, path: Path, given: str
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_REFUSALS", given)
    with pytest.raises(InvalidInput, match=rf"^SERVERDOMAIN_REFUSALS: '{given}' came, on or off"):
        Servers.open(f"sqlite:///{path}")
    assert not path.exists()


def test_on_a_full_disk_the_caller_is_refused_all_the_same(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    # Until no page has room left for a row more.
    with servers._log.connections.writing() as writer:
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages}")
    with suppress(StoreError):
        while True:
            servers.rename(SERVER, f"{servers.get(SERVER).version:0255}")
    before = len(servers.history(SERVER))
    while not caplog.records:
        assert refuse(servers).rule == "state"

    (told,) = caplog.messages
    assert told.startswith("a refusal was not recorded: ")
    assert "cannot grow: the disk is full" in told
    assert len(servers.history(SERVER)) - before == len(stored(servers)) < 60
    with servers._log.connections.writing() as writer:
        writer.execute("PRAGMA max_page_count = 1000000")
    assert servers.stop(SERVER).server.version == before + 1


def let_no_commit_succeed(servers: Servers) -> None:
    # A constraint that is looked at when the transaction ends.
    with servers._log.connections.writing() as writer:
        writer.execute(
            "CREATE TABLE never (id REFERENCES commands (command_id) DEFERRABLE INITIALLY DEFERRED)"
        )
        writer.execute(
            "CREATE TRIGGER no_commit AFTER INSERT ON commands BEGIN"
            " INSERT INTO never VALUES (-5); END"
        )
    idle = servers._log.connections.open.writer
    assert idle is not None
    idle.execute("PRAGMA foreign_keys = ON")


def test_where_the_commit_fails_the_caller_is_refused_all_the_same(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    let_no_commit_succeed(servers)

    assert refuse(servers).rule == "state"
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("a refusal may not be recorded: the outcome is unknown")
    assert stored(servers) == []


def test_of_what_was_not_refused_the_outcome_is_unknown_then(servers: Servers) -> None:
    let_no_commit_succeed(servers)

    with pytest.raises(OutcomeUnknown) as unknown:
        servers.stop(SERVER, Context(OWNER, "req-7"))
    assert unknown.value.request_id == "req-7"


def test_an_older_file_takes_the_index_and_counts_by_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    with monkeypatch.context() as older:
        older.setattr(schema, "STEPS", schema.STEPS[:2])
        Servers.open(f"sqlite:///{path}").close()
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        with servers._log.connections.writing() as writer:
            writer.set_trace_callback(asked.append)
        refuse(servers)

    (count,) = (statement for statement in asked if "COUNT(*)" in statement)
    with closing(sqlite3.connect(path)) as database:
        plan = str(database.execute(f"EXPLAIN QUERY PLAN {count}").fetchall())
    assert "commands_refused" in plan


def test_in_a_transaction_of_many_commands_a_refusal_is_given_back(servers: Servers) -> None:
    request = accept.Request(
        server_id=SERVER,
        command=StartServer(),
        context=Context(),
        now=servers.get(SERVER).updated_micros,
    )
    with servers._log.bulk() as log:
        given = [accept.accept(log, request) for _ in range(2)]

    assert [type(one) for one in given] == [Refused, Refused]
    assert len(stored(servers)) == 2


@pytest.mark.parametrize("now", [2**52, 2**52 - 1], ids=["in time", "behind the log"])
def test_whether_there_was_room_for_one_is_told(servers: Servers, now: int) -> None:
    command = RecordedCommand(
        0, "stop", SERVER, "{}", "fake", "openstack", ("member",), "req-1", None, None, 5, 2**52
    )
    with servers._log.bulk() as log:
        kept = [refusals.keep(log, command, Refused("lock", "no"), now) for _ in range(61)]

    assert kept == [True] * 60 + [False]
    assert len(stored(servers)) == 60


asked = st.lists(
    st.tuples(strategies.commands(), strategies.actors(), st.integers(0, 40)), max_size=12
)


def play(servers: Servers, clock: ManualClock, commands: list[tuple[Command, Actor, int]]) -> int:
    """Ask for all of it; gives back how many were refused."""
    no = 0
    servers.register(adopted())
    for number, (command, actor, seconds) in enumerate(commands):
        clock.advance(seconds)
        try:
            servers.command(SERVER, command, Context(actor, f"req-{number}"))
        except Refused:
            no += 1
        except (Conflict, NotFound):
            pass
    return no


@settings(max_examples=settings().max_examples // 2)
@for_any(asked)
def test_server_view_and_versions_are_the_same_with_refusals_and_without(
    commands: list[tuple[Command, Actor, int]],
) -> None:
    clock, other = ManualClock(), ManualClock()
    with (
        Servers.open("memory:", clock=clock) as keeping,
        Servers.open("memory:", clock=other) as silent,
    ):
        silent._log.keeps_refusals = False
        refused = play(keeping, clock, commands)
        assert play(silent, other, commands) == refused

        assert keeping.list() == silent.list()
        entries = keeping.history(SERVER)
        assert sum(entry.name == "CommandRefused" for entry in entries) == refused
        told = [(one.version, one.name, one.occurred_at, one.changes) for one in entries]
        assert [one for one in told if one[0] is not None] == [
            (one.version, one.name, one.occurred_at, one.changes) for one in silent.history(SERVER)
        ]
        assert keeping.view.status().lag == 0
        with keeping._log.reading() as log:
            assert keeping.view.status().position == log.head()
