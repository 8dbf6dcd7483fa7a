"""What is measured, in full and quickly."""

from __future__ import annotations

from itertools import count

from benchmarks.by_hand import ByHand
from benchmarks.fleet import AskingHistories, Generating, InsertingRows, Reporting
from benchmarks.idiomatic import Batched, Idiomatic
from benchmarks.ledger import HashingRows, HashingStates, Verifying
from benchmarks.measure import Row
from benchmarks.ours import Ours
from benchmarks.rival import EVENTS_OF_A_CYCLE, IMAGES, Rival
from benchmarks.time_travel import (
    BETWEEN,
    QUESTIONS,
    Asking,
    ComparingFleets,
    FromKeyframes,
    FromZero,
    Histories,
    Now,
)

RIVALS = (Ours, Idiomatic, ByHand)

_names = count()


def rename(rival: Rival, _: int, server: int) -> None:
    rival.rename(server, f"another {next(_names)}")


def rebuild(rival: Rival, round_number: int, server: int) -> None:
    # After one cycle the image is the second one.
    rival.rebuild(server, IMAGES[round_number % 2], f"rebuilt {next(_names)}")


def complete(rival: Rival, _: int, server: int) -> None:
    rival.complete(server)


def get(rival: Rival, _: int, server: int) -> object:
    return rival.get(server)


def view(rival: Rival, _: int, server: int) -> int:
    return rival.view()


def verify(rival: Rival, _: int, server: int) -> int:
    assert isinstance(rival, Verifying)
    return rival.verify()


def make(rival: Rival, _: int, server: int) -> None:
    assert isinstance(rival, Generating)
    rival.make()


def report(rival: Rival, _: int, server: int) -> object:
    assert isinstance(rival, Reporting)
    return rival.report()


def as_of_the_head(rival: Rival, _: int, number: int) -> object:
    assert isinstance(rival, Asking)
    return rival.as_of_the_head(number)


def as_of_then(rival: Rival, _: int, number: int) -> object:
    assert isinstance(rival, Asking)
    return rival.as_of_then(number)


def diff(rival: Rival, _: int, number: int) -> object:
    assert isinstance(rival, Asking)
    return rival.diff(number)


def statuses(rival: Rival, _: int, number: int) -> object:
    assert isinstance(rival, FromKeyframes)
    return rival.statuses(number)


def changed(rival: Rival, _: int, number: int) -> object:
    assert isinstance(rival, FromKeyframes)
    return rival.changed(number)


def rows(*, quick: bool, fleet: int | None = None) -> list[Row]:
    """Every row; quick ones show that all works and little more.

    A made-up ``fleet`` has so many servers.
    """
    rounds = 1 if quick else 10
    return [
        *(row for callers in (1, 16) for row in _writing(callers, 2 if quick else 160, rounds)),
        _getting("get-10", 1, rounds),
        _getting("get-1000", 3 if quick else 111, rounds),
        _viewing(2 if quick else 300, 1 if quick else 5),
        _verifying(2 if quick else 500, 1 if quick else 15),
        _generating(3 if quick else 500, 1 if quick else 5),
        _reporting(3 if quick else 500, 1 if quick else 5),
        *_time_travelling(fleet or (3 if quick else 2_000), 2 if quick else QUESTIONS, rounds),
    ]


def _writing(callers: int, servers: int, rounds: int) -> tuple[Row, Row]:
    who = "1 caller" if callers == 1 else f"{callers} callers"
    append = Row(
        name=f"append-{callers}",
        what=f"append one command, {who}",
        rivals=RIVALS,
        servers=servers,
        cycles=1,
        asked=range(servers),
        rounds=rounds,
        step=rename,
        callers=callers,
    )
    return append, append._replace(
        name=f"rebuild-{callers}",
        what=f"a rebuild of three events, {who}",
        step=rebuild,
        undo=complete,
    )


def _getting(name: str, cycles: int, rounds: int) -> Row:
    return Row(
        name=name,
        what=f"get, {1 + cycles * EVENTS_OF_A_CYCLE} events",
        rivals=RIVALS,
        servers=2,
        cycles=cycles,
        asked=[0, 1] * 50 if cycles == 1 else [0, 1] * 5,
        rounds=rounds,
        step=get,
        unit="get",
        writes=False,
    )


def _viewing(servers: int, rounds: int) -> Row:
    events = servers * (1 + EVENTS_OF_A_CYCLE)
    return Row(
        name="view",
        what=f"a view from zero, {events} events",
        rivals=(*RIVALS[:2], Batched, ByHand),
        servers=servers,
        cycles=1,
        asked=(0,),
        rounds=rounds,
        step=view,
        unit="event",
        units=events,
    )


def _verifying(servers: int, rounds: int) -> Row:
    events = servers * (1 + EVENTS_OF_A_CYCLE)
    return Row(
        name="verify",
        what=f"verify a log, {events} events",
        rivals=(Verifying, HashingRows, HashingStates),
        servers=servers,
        cycles=1,
        asked=(0,),
        rounds=rounds,
        step=verify,
        unit="event",
        units=events,
        writes=False,
    )


def _generating(servers: int, rounds: int) -> Row:
    return Row(
        name="generate",
        what=f"generate a fleet of {servers} servers",
        rivals=(Generating, InsertingRows),
        servers=servers,
        cycles=1,
        asked=(0,),
        rounds=rounds,
        step=make,
        unit="server",
        units=servers,
    )


def _reporting(servers: int, rounds: int) -> Row:
    return Row(
        name="reports",
        what=f"three reports on {servers} servers",
        rivals=(Reporting, AskingHistories),
        servers=servers,
        cycles=1,
        asked=(0,),
        rounds=rounds,
        step=report,
        unit="report",
        units=3,
        writes=False,
    )


def _time_travelling(servers: int, questions: int, rounds: int) -> list[Row]:
    of = f"of a fleet of {servers:,}"
    as_of = Row(
        name="as-of",
        what=f"one server {of}, as of its head",
        rivals=(Asking, Now),
        servers=servers,
        cycles=1,
        asked=range(questions),
        rounds=rounds,
        step=as_of_the_head,
        unit="question",
        writes=False,
    )
    few = range(min(questions, 4))
    return [
        as_of,
        as_of._replace(name="as-of-then", what="the same at random moments", step=as_of_then),
        as_of._replace(
            name="diff",
            what=f"what changed of one server {of}",
            rivals=(Asking, Histories),
            step=diff,
        ),
        as_of._replace(
            name="fleet",
            what=f"the fleet of {servers:,} at random moments",
            rivals=(FromKeyframes, FromZero),
            asked=few,
            rounds=1,
            step=statuses,
        ),
        as_of._replace(
            name="fleet-diff",
            what=f"what changed of it in {BETWEEN:,} events",
            rivals=(FromKeyframes, ComparingFleets),
            asked=few,
            rounds=1,
            step=changed,
        ),
    ]
