"""What the pages say of speed, taken from the runs that are kept: ``make bench-docs``.

A page says ``<!-- bench: ratio pairs-16 eventsourcing -->4.2<!-- /bench -->``; what stands between
is written anew. Behind ``bench:`` stands one of `WAYS` with its words.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import printed
from benchmarks.environment import ROOT
from benchmarks.growth import CURVES, Growth
from benchmarks.results import Result, Results, with_goals

PAGES = (ROOT / "README.md", ROOT / "docs/benchmarks.md")

MARKED = re.compile(r"(<!-- bench: (.*?) -->)(.*?)(<!-- /bench -->)", re.DOTALL)


class Told:
    """The words for what two runs have found."""

    def __init__(self, results: Results, growth: Growth) -> None:
        self._results = results
        self._growth = growth

    def page(self, text: str) -> str:
        """A page, its marked parts written anew."""
        return MARKED.sub(lambda found: f"{found[1]}{self._words(found[2])}{found[4]}", text)

    def _words(self, asked: str) -> str:
        way, *words = shlex.split(asked)
        return WAYS[way](self, words)

    def ratio(self, words: Sequence[str]) -> str:
        """``ratio NAME RIVAL``: how many times as good we are."""
        name, rival = words
        (one,) = (one for one in self._of([name]) if one.rival == rival)
        return printed.number(one.ratio)

    def ours(self, words: Sequence[str]) -> str:
        """``ours NAME``: what we do."""
        return printed.value(self._of(words)[0].ours, self._of(words)[0].unit)

    def table(self, names: Sequence[str]) -> str:
        """``table NAME …``: rows beside their rivals."""
        rows, before = [], ""
        for one in self._of(names):
            first = one.what != before
            before = one.what
            rows.append(
                [
                    one.what if first else "",
                    _with_spread(one) if first else "",
                    _times(one) if first else "",
                    one.rival or "",
                    printed.value(one.theirs, one.unit),
                    printed.number(one.ratio),
                ]
            )
        return _table(
            ["", "serverdomain (quartiles)", "p50, p99", "beside", "which does", "times as good"],
            rows,
        )

    def goals(self, _: Sequence[str]) -> str:
        """``goals``: each with its limit, its share of it, and whether it is met."""
        rows = [
            [
                one.what,
                one.rival or "",
                printed.reached(one),
                printed.wanted(one),
                _limit(one),
                printed.number(one.share),
                "yes" if one.met else "**no**",
            ]
            for one in with_goals(self._results.rows)
        ]
        columns = ["", "beside", "reached", "wanted", "limit", "share of the limit", "met"]
        return _table(columns, rows)

    def where(self, _: Sequence[str]) -> str:
        """``where``: where the time goes, step by step."""
        return "\n" + "\n".join(f"* {one}" for one in self._results.where) + "\n"

    def left_out(self, _: Sequence[str]) -> str:
        """``left-out``: who could not be measured."""
        return " ".join(f"{one}." for one in self._results.left_out) or "Nobody was left out."

    def machine(self, _: Sequence[str]) -> str:
        """``machine``: on what, when, and which commit."""
        return _listed(self._results.machine)

    def grown_on(self, _: Sequence[str]) -> str:
        """``grown-on``: the same of the run of growth."""
        return _listed(self._growth.machine)

    def growth(self, _: Sequence[str]) -> str:
        """``growth``: a row for each size."""
        rows = [
            [f"{events:,}", *(printed.number(point[curve]) for curve in CURVES)]
            for events, point in self._growth.points.items()
        ]
        return _table(["events", *CURVES.values()], rows)

    def _of(self, names: Iterable[str]) -> list[Result]:
        found = [one for name in names for one in self._results.rows if one.name == name]
        if not found:
            raise SystemExit(f"no row {' or '.join(names)} in the run")
        return found


WAYS: dict[str, Callable[[Told, Sequence[str]], str]] = {
    "ratio": Told.ratio,
    "ours": Told.ours,
    "table": Told.table,
    "goals": Told.goals,
    "where": Told.where,
    "left-out": Told.left_out,
    "machine": Told.machine,
    "grown-on": Told.grown_on,
    "growth": Told.growth,
}


def _limit(one: Result) -> str:
    return "" if one.limit is None else f"{printed.value(one.limit, one.unit)}: {one.limited_by}"


def _with_spread(one: Result) -> str:
    low, high = map(printed.number, one.spread)
    return f"{printed.value(one.ours, one.unit)} ({low} to {high})"


def _times(one: Result) -> str:
    return ", ".join(f"{seconds * 1e3:.3g} ms" for seconds in (one.p50, one.p99) if seconds)


def _listed(machine: dict[str, str]) -> str:
    return ", ".join(f"{what} {value}" for what, value in machine.items())


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n\n"


def kept() -> Told:
    """What the runs that are kept have found."""
    return Told(Results.read(), Growth.read())


def main() -> None:
    told = kept()
    for page in PAGES:
        write(page, told)


def write(page: Path, told: Told) -> None:
    """Write a page anew."""
    page.write_text(told.page(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
