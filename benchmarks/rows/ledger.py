"""A log verified against a signed checkpoint."""

from __future__ import annotations

from benchmarks.callers import Work, each_doing
from benchmarks.ledger import HashingRows, HashingStates, Verifying
from benchmarks.measure import Row
from benchmarks.rival import EVENTS_OF_A_CYCLE, Rival
from benchmarks.scale import Scale


def verify(rival: Rival, _: int, server: int) -> int:
    assert isinstance(rival, Verifying)
    return rival.verify()


def rows(scale: Scale) -> list[Row]:
    events = scale.made * (1 + EVENTS_OF_A_CYCLE)
    work = Work(verify, scale.made, asked=(0,), units=events)
    return [
        Row(
            "verify",
            f"verify a log, {events:,} events",
            "event",
            each_doing(work, Verifying, HashingRows, HashingStates),
            scale.rounds,
        )
    ]
