"""Every rival does the same work by turns, so that what slows the machine slows all of them.

One caller goes from rival to rival with every step; many callers do a round with one rival, and
then a round with the next. Who begins changes each time. Each step is timed alone; the rate of many
callers is what they did together.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles
from typing import NamedTuple

from benchmarks.rival import Rival

Step = Callable[[Rival, int, int], object]
"""Does something with a rival, in a round, to the server of a number."""

Took = tuple[float, list[float]]
"""Seconds that a round of one rival took, and each of its steps."""


class Row(NamedTuple):
    """One thing to measure, with stores that hold ``servers`` of so many ``cycles`` of events.

    Each round does ``step`` to every server in ``asked``, and then ``undo``, which is not timed.
    A step is ``units`` of ``unit``.
    """

    name: str
    what: str
    rivals: Sequence[type[Rival]]
    servers: int
    cycles: int
    asked: Sequence[int]
    rounds: int
    step: Step
    undo: Step | None = None
    callers: int = 1
    unit: str = "command"
    units: int = 1
    writes: bool = True


class Figures(NamedTuple):
    """What one rival did: units a second, round by round, and seconds that a step took."""

    rival: str
    rates: list[float]
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Units a second, in the middle one of the rounds."""
        return median(self.rates)

    def ratio(self, other: Figures) -> float:
        """How many times as fast as another: in the middle one of the rounds, pair by pair."""
        return median(ours / theirs for ours, theirs in zip(self.rates, other.rates, strict=True))


def compare(row: Row, rivals: Sequence[Rival]) -> list[Figures]:
    """Measure rivals that are filled already."""
    rates: list[list[float]] = [[] for _ in rivals]
    steps: list[list[float]] = [[] for _ in rivals]
    # The first round warms caches and is not counted.
    for number in range(row.rounds + 1):
        gc.collect()
        took = (_alone if row.callers == 1 else _together)(row, rivals, number)
        if row.undo is not None:
            for server in row.asked:
                for rival in rivals:
                    row.undo(rival, number, server)
        if number:
            for which, (seconds, each) in enumerate(took):
                rates[which].append(len(each) * row.units / seconds)
                steps[which] += each
    return [
        Figures(rival.name, rates[which], median(steps[which]), percentile_99(steps[which]))
        for which, rival in enumerate(rivals)
    ]


def _alone(row: Row, rivals: Sequence[Rival], number: int) -> list[Took]:
    each: list[list[float]] = [[] for _ in rivals]
    for turn, server in enumerate(row.asked, start=number):
        for which in turned(rivals, turn):
            each[which] += _do(row.step, rivals[which], number, [server])
    return [(sum(steps), steps) for steps in each]


def _together(row: Row, rivals: Sequence[Rival], number: int) -> list[Took]:
    took = {which: _at_once(row, rivals[which], number) for which in turned(rivals, number)}
    return [took[which] for which in range(len(rivals))]


def _at_once(row: Row, rival: Rival, number: int) -> Took:
    # Each caller has servers of its own, so that nobody meets a conflict.
    shares = [row.asked[caller :: row.callers] for caller in range(row.callers)]
    ready = threading.Barrier(row.callers + 1)

    def call(share: Sequence[int]) -> list[float]:
        ready.wait()
        return _do(row.step, rival, number, share)

    with ThreadPoolExecutor(row.callers) as callers:
        running = [callers.submit(call, share) for share in shares]
        ready.wait()
        began = time.perf_counter()
        each = [seconds for future in running for seconds in future.result()]
        return time.perf_counter() - began, each


def _do(step: Step, rival: Rival, number: int, servers: Sequence[int]) -> list[float]:
    each = []
    for server in servers:
        began = time.perf_counter()
        step(rival, number, server)
        each.append(time.perf_counter() - began)
    return each


def turned(rivals: Sequence[object], turn: int) -> list[int]:
    """Their numbers, each time another one first."""
    first = turn % len(rivals)
    return [*range(first, len(rivals)), *range(first)]


def percentile_99(values: Sequence[float]) -> float:
    """What one in a hundred is above."""
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]
