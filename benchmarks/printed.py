"""A run as tables: each row beside its rivals, then which goals are met."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from benchmarks.results import Result, with_goals

RATES = {"ms": "ms", "MiB": "MiB"}
"""The units that are no rates."""


def all_of(results: Iterable[Result]) -> Table:
    """Every row."""
    table = _table(
        "", "rival", "serverdomain", "quartiles", "p50", "p99", "rival's", "times as good"
    )
    before = ""
    for one in results:
        first = one.what != before
        if first and before:
            table.add_section()
        before = one.what
        table.add_row(
            one.what if first else "",
            one.rival or "",
            value(one.ours, one.unit) if first else "",
            " to ".join(number(bound) for bound in one.spread) if first else "",
            seconds(one.p50) if first else "",
            seconds(one.p99) if first else "",
            value(one.theirs, one.unit),
            number(one.ratio),
        )
    return table


def goals(results: Iterable[Result]) -> Table:
    """The goals alone, each with its limit, and whether it is met."""
    table = _table("goal", "beside", "reached", "wanted", "limit", "share of it", "met")
    for one in with_goals(results):
        table.add_row(
            one.what,
            one.rival or "",
            reached(one),
            wanted(one),
            "" if one.limit is None else f"{value(one.limit, one.unit)}: {one.limited_by}",
            number(one.share),
            "yes" if one.met else "no",
        )
    return table


def reached(one: Result) -> str:
    """What was reached of a goal."""
    if one.rival is not None:
        return number(one.ratio)
    return value(one.ours, one.unit) if one.share is None else f"{number(one.share)} of the limit"


def wanted(one: Result) -> str:
    """What a goal is."""
    if one.rival is not None:
        return number(one.goal)
    if one.share is None:
        return f"at most {value(one.goal, one.unit)}"
    return f"{number(one.goal)} of the limit"


def value(of: float | None, unit: str) -> str:
    """A value with its unit."""
    if of is None:
        return ""
    return f"{number(of)} {unit}" if unit in RATES else f"{number(of)} {unit}s/s"


def number(of: float | None) -> str:
    """Three digits that count, or more before the point."""
    if of is None:
        return ""
    for least, digits in ((100, 0), (10, 1), (0, 2)):
        if abs(of) >= least:
            return f"{of:,.{digits}f}"
    raise AssertionError(of)


def seconds(of: float | None) -> str:
    """A time in milliseconds."""
    return "" if of is None else f"{of * 1e3:,.3f} ms"


def _table(*columns: str) -> Table:
    table = Table(*columns)
    for column in table.columns[2:]:
        column.justify = "right"
    return table
