"""Everything does its work by turns, so that what slows the machine slows all of it.

Each does a round, then the next one does; who begins changes each time. What is compared are the
rounds, pair by pair, and the middle one of their ratios is told.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

SHARE = 0.75
"""A goal is met, too, at this share of what is possible at all."""


class Round(NamedTuple):
    """What came of a round: a value in the row's unit, and seconds that each step took."""

    value: float
    each: list[float]


def at_rate(seconds: float, each: list[float], units: float | None = None) -> Round:
    """A round whose value is a rate: its steps, or so many ``units``, a second."""
    return Round((len(each) if units is None else units) / seconds, each)


class Asked(Protocol):
    """Who does the same work in each round, the first of which is 0."""

    name: str

    def ask(self, number: int) -> Round:
        """One round."""

    def close(self) -> None:
        """Let go of all that it holds."""


class LeftOut(Exception):
    """A rival cannot be had here, for the reason that is told."""


class Limit(NamedTuple):
    """The most that is possible at all: what that is, and how much of it was, round by round."""

    what: str
    of: Callable[[Mapping[str, Sequence[float]]], list[float]]


def rate_of(name: str) -> Limit:
    """The limit is what a rival does."""
    return Limit(name, lambda values: [*values[name]])


class Row(NamedTuple):
    """One thing to measure: ourselves first, then the rivals, and what is to be reached.

    ``times`` says how many times each rival's value is the goal, ``most`` how much may be used.
    With a ``limit`` a share of it is enough; without other goals, it is the goal. ``less`` says
    that a smaller value is the better one.
    """

    name: str
    what: str
    unit: str
    asked: Sequence[Callable[[Path], Asked]]
    rounds: int
    times: Mapping[str, float] = {}
    most: float | None = None
    limit: Limit | None = None
    less: bool = False
    warm: bool = True


class Figures(NamedTuple):
    """What one did: a value for each round, and seconds that a step took in the middle."""

    name: str
    values: list[float]
    p50: float | None
    p99: float | None

    @property
    def value(self) -> float:
        """The middle one of the rounds."""
        return median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles of the rounds."""
        if len(self.values) == 1:
            return self.value, self.value
        first, _, third = quantiles(self.values, n=4, method="inclusive")
        return first, third


class Measured(NamedTuple):
    """A row, what each did, ourselves first, and who was left out and why."""

    row: Row
    figures: list[Figures]
    left_out: list[str]


def measure(row: Row) -> Measured:
    """Measure a row in a folder that is gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="serverdomain-")))
        asked, left_out = list[Asked](), list[str]()
        for make in row.asked:
            try:
                one = make(folder)
            except LeftOut as why:
                left_out.append(f"{row.what}: {why}")
                continue
            stack.callback(one.close)
            asked.append(one)
        return Measured(row, by_turns(asked, row.rounds, warm=row.warm), left_out)


def by_turns(asked: Sequence[Asked], rounds: int, *, warm: bool = True) -> list[Figures]:
    """So many rounds of each; one before them, which warms caches, is not counted."""
    found: list[list[Round]] = [[] for _ in asked]
    for number in range(rounds + warm):
        for which in turned(asked, number):
            gc.collect()
            found[which].append(asked[which].ask(number))
    return [figures(one.name, its[warm:]) for one, its in zip(asked, found, strict=True)]


def figures(name: str, rounds: Sequence[Round]) -> Figures:
    """The figures of so many rounds."""
    each = [seconds for one in rounds for seconds in one.each]
    return Figures(
        name,
        [one.value for one in rounds],
        median(each) if each else None,
        percentile_99(each) if each else None,
    )


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times theirs ours is: in the middle one of the rounds, pair by pair."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def turned(asked: Sequence[object], turn: int) -> list[int]:
    """Their numbers, each time another one first."""
    first = turn % len(asked)
    return [*range(first, len(asked)), *range(first)]


def percentile_99(values: Sequence[float]) -> float:
    """What one in a hundred is above."""
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]
