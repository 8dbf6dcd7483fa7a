"""A made-up fleet: made, reported on, and asked about any moment of its past."""

from __future__ import annotations

from benchmarks.callers import Work, each_doing
from benchmarks.exporting import Exporting, Looping
from benchmarks.fleet import AskingHistories, Generating, InsertingRows, Reporting
from benchmarks.measure import Row
from benchmarks.rival import Rival
from benchmarks.scale import Scale
from benchmarks.time_travel import (
    BETWEEN,
    Asking,
    ComparingFleets,
    FromKeyframes,
    FromZero,
    Histories,
    Now,
)


def make(rival: Rival, _: int, server: int) -> None:
    assert isinstance(rival, Generating)
    rival.make()


def report(rival: Rival, _: int, server: int) -> object:
    assert isinstance(rival, Reporting)
    return rival.report()


def export(rival: Rival, _: int, server: int) -> None:
    assert isinstance(rival, Exporting)
    rival.export()


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


def rows(scale: Scale) -> list[Row]:
    made, of = scale.made, f"of a fleet of {scale.fleet:,}"
    asked = range(scale.questions)
    few = asked[:4]
    return [
        Row(
            "generate",
            f"generate a fleet of {made:,} servers",
            "server",
            each_doing(Work(make, made, asked=(0,), units=made), Generating, InsertingRows),
            min(scale.rounds, 5),
        ),
        Row(
            "reports",
            f"three reports on {made:,} servers",
            "report",
            each_doing(Work(report, made, asked=(0,), units=3), Reporting, AskingHistories),
            min(scale.rounds, 5),
        ),
        Row(
            "export",
            f"export the log of {made:,} servers",
            "log",
            each_doing(Work(export, made, asked=(0,)), Exporting, Looping),
            min(scale.rounds, 5),
            times={Looping.name: 0.5},
        ),
        Row(
            "as-of",
            f"one server {of}, as of its head",
            "question",
            each_doing(Work(as_of_the_head, scale.fleet, asked=asked), Asking, Now),
            scale.rounds,
        ),
        Row(
            "as-of-then",
            f"one server {of}, at random moments",
            "question",
            each_doing(Work(as_of_then, scale.fleet, asked=asked), Asking, Now),
            scale.rounds,
        ),
        Row(
            "diff",
            f"what changed of one server {of}",
            "question",
            each_doing(Work(diff, scale.fleet, asked=asked), Asking, Histories),
            scale.rounds,
        ),
        Row(
            "fleet",
            f"the fleet of {scale.fleet:,} at random moments",
            "question",
            each_doing(Work(statuses, scale.fleet, asked=few), FromKeyframes, FromZero),
            1,
        ),
        Row(
            "fleet-diff",
            f"what changed of it in {BETWEEN:,} events",
            "question",
            each_doing(Work(changed, scale.fleet, asked=few), FromKeyframes, ComparingFleets),
            1,
        ),
    ]
