"""The store under power cuts and failing disks: what was acknowledged stays, and nothing is half.

A story of commands, each under a request id of its own, is told to a store whose writes are
recorded. After a cut the judge looks for what was acknowledged, and then tells the whole story
again under the same request ids: what is there answers, what is lost happens, and the end is one.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from serverdomain import (
    Accepted,
    Context,
    OutcomeUnknown,
    RebuildServer,
    RegisterServer,
    Servers,
    StoreDamaged,
    StoreError,
)
from serverdomain.store.sqlite import open_connections
from serverdomain.testing import ManualClock
from tests.power_cut import Fault, Recording, judge_cuts, needs_sqlite_symbols, record

pytestmark = needs_sqlite_symbols

SERVER = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
IMAGES = ("70a599e0-31e7-49b7-b260-868f441e862b", "155d900f-4e14-4e4c-a73d-069cbf4541e6")


class Lost(AssertionError):
    """A command that was acknowledged is not there."""


class Half(AssertionError):
    """A part of a command is there and a part is not, or it is there twice."""


@dataclass(frozen=True)
class Told:
    """A command that was acknowledged: its request id and how many events it has."""

    request_id: str
    events: int


Command = Callable[[Servers, Context], Accepted]


def story(rounds: int) -> dict[str, Command]:
    """Commands by their request id: a server is registered, and rebuilt again and again."""
    commands: dict[str, Command] = {"req-register": register}
    for number in range(rounds):
        commands |= {
            f"req-rebuild-{number}": rebuild(number),
            f"req-progress-{number}": lambda servers, who: servers.report_progress(SERVER, 40, who),
            f"req-complete-{number}": lambda servers, who: servers.complete_rebuild(SERVER, who),
        }
    return commands


def register(servers: Servers, context: Context) -> Accepted:
    return servers.register(
        RegisterServer(
            server_id=SERVER,
            name="before",
            project_id="openstack",
            user_id="fake",
            image_id=IMAGES[1],
            flavor_id="1",
            created=0,
            updated=0,
        ),
        context,
    )


def rebuild(number: int) -> Command:
    asked = RebuildServer(
        image_id=IMAGES[number % 2],
        name=f"round {number}",
        metadata={"filler": str(number) * 200},
    )
    return lambda servers, context: servers.rebuild(SERVER, asked, context)


@dataclass(frozen=True)
class Telling:
    """The story told to a store that is opened for each round, beside one that stays or none."""

    rounds: int = 4
    second_connection: bool = True

    def __call__(self, path: Path, acknowledge: Callable[[object], None]) -> None:
        commands = story(self.rounds)
        with ExitStack() as second:
            for number, (request_id, command) in enumerate(commands.items()):
                with opened(path) as servers:
                    accepted = until_it_is_known(servers, request_id, command)
                    acknowledge(Told(request_id, len(accepted.events)))
                    if number % 4 == 3:
                        with suppress(StoreError):
                            servers.list()
                    if number == len(commands) // 2:
                        checkpoint(path)
                    if number == 1 and self.second_connection:
                        second.enter_context(opened(path)).get(SERVER)


def opened(path: Path) -> Servers:
    """The store, opened; where the disk fails just then, again."""
    with suppress(StoreError):
        return Servers.open(f"sqlite:///{path}", clock=ManualClock())
    return Servers.open(f"sqlite:///{path}", clock=ManualClock())


def until_it_is_known(servers: Servers, request_id: str, command: Command) -> Accepted:
    """What a careful caller does: an unknown or failed command is sent again under its id."""
    try:
        return command(servers, Context(request_id=request_id))
    except StoreError:
        return command(servers, Context(request_id=request_id))


def checkpoint(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def judge(rounds: int) -> Callable[[Path, Sequence[object]], None]:
    commands = story(rounds)
    with Servers.open("memory:", clock=ManualClock()) as untouched:
        whole = {
            request_id: len(command(untouched, Context(request_id=request_id)).events)
            for request_id, command in commands.items()
        }
        end = untouched.get(SERVER)

    def told_the_truth(path: Path, acknowledged: Sequence[object]) -> None:
        told = [one for one in acknowledged if isinstance(one, Told)]
        with Servers.open(f"sqlite:///{path}", clock=ManualClock()) as servers:
            there = events_by_request(path)
            lost = [one for one in told if one.request_id not in there]
            if lost:
                raise Lost(f"{lost} of {len(told)}")
            half = {name: count for name, count in there.items() if count != whole[name]}
            if half:
                raise Half(str(half))
            for request_id, command in commands.items():
                command(servers, Context(request_id=request_id))
            if events_by_request(path) != whole:
                raise Half(f"told again: {events_by_request(path)}")
            assert servers.get(SERVER) == end
            assert servers.list() == [end]

    return told_the_truth


def events_by_request(path: Path) -> dict[str, int]:
    """How many events each recorded command has, straight from the tables."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        if found != [("ok",)]:
            raise Half(f"integrity_check: {found}")
        rows = connection.execute(
            "SELECT request_id, COUNT(position)"
            " FROM commands LEFT JOIN stored_events USING (command_id) GROUP BY command_id"
        ).fetchall()
    twice = [name for name, count in Counter(name for name, _ in rows).items() if count > 1]
    if twice:
        raise Half(f"twice: {twice}")
    return dict(rows)


def nothing_is_lost(second_connection: bool, *, cuts: int, seed: int) -> None:
    recording = record(Telling(second_connection=second_connection))

    assert len(recording.acknowledged()) == 13
    assert judge_cuts(recording, judge(4), cuts=cuts, seed=seed) == []


WITH_AND_WITHOUT_A_SECOND_CONNECTION = pytest.mark.parametrize("second_connection", [True, False])


def test_a_power_cut_loses_no_acknowledged_command_and_leaves_none_half() -> None:
    nothing_is_lost(second_connection=True, cuts=20, seed=1)


@pytest.mark.slow
@WITH_AND_WITHOUT_A_SECOND_CONNECTION
@pytest.mark.parametrize("seed", [2, 3])
def test_hundreds_of_power_cuts_lose_nothing(second_connection: bool, seed: int) -> None:
    nothing_is_lost(second_connection, cuts=300, seed=seed)


def what_is_lost(mode: str, monkeypatch: pytest.MonkeyPatch) -> set[type[Exception]]:
    monkeypatch.setattr(open_connections, "SYNCHRONOUS", mode)
    recording = record(Telling())
    monkeypatch.undo()
    return {type(failure.error) for failure in judge_cuts(recording, judge(4), cuts=150, seed=1)}


@pytest.mark.slow
def test_the_same_cuts_show_that_normal_loses_commands_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert what_is_lost("NORMAL", monkeypatch) == {Lost}


@pytest.mark.slow
def test_the_same_cuts_show_that_off_loses_commands_and_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert what_is_lost("OFF", monkeypatch) >= {Lost, StoreDamaged}


def ends_whole(telling: Telling, fault: Fault, *, cuts: int) -> Recording:
    """The recording of a story with a fault in it, which every cut leaves true."""
    recording = record(telling, fault=fault)

    assert recording.failed, fault
    assert len(recording.acknowledged()) == 1 + 3 * telling.rounds, fault
    assert judge_cuts(recording, judge(telling.rounds), cuts=cuts, seed=1) == [], fault
    return recording


def test_a_sync_that_fails_leaves_every_command_whole_once_it_is_sent_again() -> None:
    telling = Telling(rounds=1)
    syncs = [fault for fault in record(telling).faults() if fault.operation == "sync"]

    for fault in syncs[::4]:
        ends_whole(telling, fault, cuts=3)


@pytest.mark.slow
@WITH_AND_WITHOUT_A_SECOND_CONNECTION
def test_whichever_write_truncate_or_sync_fails_every_command_ends_whole(
    second_connection: bool,
) -> None:
    telling = Telling(rounds=2, second_connection=second_connection)
    faults = record(telling).faults()

    assert len(faults) > 100
    for fault in faults:
        ends_whole(telling, fault, cuts=2)


@pytest.mark.slow
def test_a_commit_whose_sync_fails_says_that_the_outcome_is_unknown() -> None:
    said: list[str] = []

    def telling(path: Path, acknowledge: Callable[[object], None]) -> None:
        with opened(path) as servers:
            for request_id, command in story(1).items():
                try:
                    command(servers, Context(request_id=request_id))
                except OutcomeUnknown as unknown:
                    said.append(str(unknown))
                    command(servers, Context(request_id=request_id))
                except StoreError:
                    command(servers, Context(request_id=request_id))

    for fault in record(telling).faults():
        if fault.operation == "sync":
            record(telling, fault=fault)

    assert said
    assert all("unknown" in line and "request id req-" in line for line in said)
