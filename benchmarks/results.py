"""What was measured, as rows: one for each rival of a row, or one where it has none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from msgspec import Struct, json

from benchmarks.measure import SHARE, Figures, Measured, Row, ratio

FILE = Path(__file__).with_name("results.json")
"""The run that the pages tell of."""


class Result(Struct, frozen=True, kw_only=True):
    """Ourselves beside one rival; ``ours`` and ``theirs`` in ``unit``, p50 and p99 in seconds.

    ``ratio`` is how many times as good we were (of paired rounds), ``goal`` how many times we are
    to be or, without a rival, how much is allowed. ``limit`` is the most that is possible at all,
    ``share`` what we reach of it. The ``spread`` are the quartiles of the rounds.
    """

    name: str
    what: str
    rival: str | None
    unit: str
    ours: float
    theirs: float | None
    ratio: float | None
    goal: float | None
    limit: float | None
    limited_by: str | None
    share: float | None
    met: bool | None
    p50: float | None
    p99: float | None
    spread: tuple[float, float]
    theirs_p50: float | None
    theirs_p99: float | None
    theirs_spread: tuple[float, float] | None


class Where(NamedTuple):
    """Of one step, in seconds: how long it takes, and how much of that is spent where."""

    what: str
    took: float
    spent: dict[str, float]

    def __str__(self) -> str:
        parts = sorted(self.spent.items(), key=lambda part: -part[1])
        shares = [f"{room} {seconds / self.took:.0%}" for room, seconds in parts]
        return f"{self.what} takes {self.took * 1e6:,.0f} µs: {', '.join(shares)}."


class Results(Struct, frozen=True):
    """A whole run: what it ran on, its rows, who was left out, and where the time went."""

    machine: dict[str, str]
    rows: list[Result]
    left_out: list[str]
    where: list[Where]

    @classmethod
    def read(cls, file: Path = FILE) -> Results:
        """The run that a file holds."""
        return json.decode(file.read_bytes(), type=cls)

    def write(self, file: Path) -> None:
        """Keep it, in a form that a diff can show."""
        file.write_bytes(json.format(json.encode(self), indent=1) + b"\n")


def results_of(measured: Measured) -> Iterator[Result]:
    """The rows of what was measured."""
    row, (ours, *others) = measured.row, measured.figures
    limits = None
    values = {one.name: one.values for one in measured.figures}
    # A limit may be made of rivals that were left out.
    if row.limit is not None:
        limits = row.limit.of(values)
    if row.most is not None or (row.limit is not None and not row.times):
        yield _result(row, ours, None, limits)
    elif not others:
        yield _result(row, ours, None, None)
    for other in others:
        yield _result(row, ours, other, limits)


def _result(row: Row, ours: Figures, other: Figures | None, limits: list[float] | None) -> Result:
    beside = None if other is None else ratio(ours.values, other.values)
    if beside is not None and row.less:
        beside = 1 / beside
    goal = row.most if other is None else row.times.get(other.name)
    share = None if limits is None else ratio(ours.values, limits)
    if other is None and goal is None and limits is not None:
        goal = SHARE
    return Result(
        name=row.name,
        what=row.what,
        rival=None if other is None else other.name,
        unit=row.unit,
        ours=ours.value,
        theirs=None if other is None else other.value,
        ratio=beside,
        goal=goal,
        limit=None if limits is None else median(limits),
        limited_by=None if row.limit is None else row.limit.what,
        share=share,
        met=_met(row, ours.value, beside, goal, share),
        p50=ours.p50,
        p99=ours.p99,
        spread=ours.spread,
        theirs_p50=None if other is None else other.p50,
        theirs_p99=None if other is None else other.p99,
        theirs_spread=None if other is None else other.spread,
    )


def _met(
    row: Row, ours: float, beside: float | None, goal: float | None, share: float | None
) -> bool | None:
    if goal is None:
        return None
    if share is not None and share >= SHARE:
        return True
    if beside is not None:
        return beside >= goal
    return row.most is not None and ours <= row.most


def with_goals(results: Iterable[Result]) -> list[Result]:
    """Those that have a goal."""
    return [one for one in results if one.goal is not None]
