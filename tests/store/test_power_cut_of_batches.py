"""The power is cut, or a sync fails, while many callers share a commit: each of them whole or not.

As `test_power_cut`, but the story is told by several threads at once, so that batches form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from serverdomain import Accepted, OutcomeUnknown, RebuildServer, Servers, StoreError
from serverdomain.testing import ManualClock
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, SERVER, adopted, under
from tests.linear.points import Points
from tests.power_cut import Fault, Recording, judge_cuts, needs_sqlite_symbols, record
from tests.power_cut.log import Synced
from tests.store.test_power_cut import Half, Lost, Told, checkpoint, events_by_request, opened
from tests.store.together import together

pytestmark = needs_sqlite_symbols

CALLERS, ROUNDS = 6, 4
SERVERS = [f"{SERVER[:-1]}{number}" for number in range(CALLERS)]


def command(servers: Servers, caller: int, turn: int) -> Accepted:
    """A rebuild of the caller's own server, and then its end."""
    context = under(f"req-{caller}-{turn}")
    if turn % 2:
        return servers.complete_rebuild(SERVERS[caller], context)
    image_id = (IMAGE, NEW_IMAGE)[turn // 2 % 2]
    metadata = {"filler": str(turn) * 200}
    asked = RebuildServer(image_id=image_id, name=f"turn {turn}", metadata=metadata)
    return servers.rebuild(SERVERS[caller], asked, context)


def tell(path: Path, acknowledge: Callable[[object], None]) -> None:
    """Each round by all callers at once; what failed is sent again until its outcome is known."""
    with opened(path) as servers:
        for number, server_id in enumerate(SERVERS):
            until_known(
                lambda n=number, s=server_id: servers.register(adopted(s), under(f"req-{n}"))
            )
        for turn in range(ROUNDS):

            def work(caller: int, turn: int = turn) -> None:
                accepted = until_known(lambda: command(servers, caller, turn))
                acknowledge(Told(f"req-{caller}-{turn}", len(accepted.events)))

            came = together(path, [lambda c=caller: work(c) for caller in range(CALLERS)])
            assert came == [None] * CALLERS
            if turn == ROUNDS // 2:
                checkpoint(path)


def until_known(asked: Callable[[], Accepted]) -> Accepted:
    try:
        return asked()
    except StoreError:
        return asked()


def judge(path: Path, acknowledged: Sequence[object]) -> None:
    told = [one for one in acknowledged if isinstance(one, Told)]
    with Servers.open(f"sqlite:///{path}", clock=ManualClock()) as servers:
        there = events_by_request(path)
        lost = [one for one in told if there.get(one.request_id) != one.events]
        if lost:
            raise Lost(f"{lost} of {len(told)}")
        for number, server_id in enumerate(SERVERS):
            servers.register(adopted(server_id), under(f"req-{number}"))
        whole = dict.fromkeys((f"req-{number}" for number in range(CALLERS)), 1)
        for turn in range(ROUNDS):
            for caller in range(CALLERS):
                accepted = command(servers, caller, turn)
                whole[f"req-{caller}-{turn}"] = len(accepted.events)
        if events_by_request(path) != whole:
            raise Half(f"told again: {events_by_request(path)}")
        half = {name: count for name, count in there.items() if count != whole[name]}
        if half:
            raise Half(str(half))
        points = Points.of(servers)
        assert points.wrong == []
        assert servers.check() == []
        assert servers.list() == list(points.there(len(points.written)))


def batches_formed(recording: Recording) -> bool:
    """Whether there were fewer syncs than commands: without batches each has one of its own."""
    syncs = sum(isinstance(entry, Synced) for entry in recording.log)
    return syncs < len(recording.acknowledged())


def nothing_is_lost(cuts: int, seed: int) -> None:
    recording = record(tell)

    assert len(recording.acknowledged()) == CALLERS * ROUNDS
    assert batches_formed(recording)
    assert judge_cuts(recording, judge, cuts=cuts, seed=seed) == []


def test_a_power_cut_loses_nothing_of_a_batch_that_was_acknowledged() -> None:
    nothing_is_lost(cuts=6, seed=1)


@pytest.mark.slow
def test_many_power_cuts_lose_nothing_of_a_batch() -> None:
    nothing_is_lost(cuts=60, seed=2)


@pytest.mark.slow
def test_this_test_would_notice_a_batch_that_is_acknowledged_before_it_is_synced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serverdomain.store.sqlite.open_connections.SYNCHRONOUS", "NORMAL")
    recording = record(tell)
    monkeypatch.undo()

    failures = judge_cuts(recording, judge, cuts=10, seed=1)
    assert {type(failure.error) for failure in failures} == {Lost}


@pytest.mark.slow
def test_whichever_sync_or_write_of_a_batch_fails_every_command_ends_whole_and_once() -> None:
    faults = record(tell).faults()

    for fault in faults[:: max(1, len(faults) // 15)]:
        recording = record(tell, fault=fault)
        assert len(recording.acknowledged()) == CALLERS * ROUNDS, fault
        assert judge_cuts(recording, judge, cuts=1, seed=1) == [], fault


@pytest.mark.slow
def test_where_the_sync_of_a_batch_fails_its_outcome_is_unknown_to_all_of_it() -> None:
    unknown: list[list[object]] = []

    def telling(path: Path, acknowledge: Callable[[object], None]) -> None:
        with opened(path) as servers:
            for server_id in SERVERS:
                until_known(lambda s=server_id: servers.register(adopted(s), under(f"req-{s}")))
            works = [lambda c=caller: command(servers, c, 0) for caller in range(CALLERS)]
            came = together(path, works)
            if any(isinstance(one, OutcomeUnknown) for one in came):
                unknown.append(came)
            for caller in range(CALLERS):
                until_known(lambda c=caller: command(servers, c, 0))
            acknowledge("all")

    for fault in record(telling).faults():
        if fault == Fault("sync", fault.nth):
            record(telling, fault=fault)

    # Whoever found nobody writing was alone, the others together.
    assert {sum(isinstance(one, OutcomeUnknown) for one in came) for came in unknown} <= {
        1,
        CALLERS - 1,
        CALLERS,
    }
    assert unknown
    for came in unknown:
        said = [str(one) for one in came if isinstance(one, OutcomeUnknown)]
        assert all("repeat the same command with request id req-" in one for one in said)
        assert len(set(said)) == len(said)
