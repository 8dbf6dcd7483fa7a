"""What held from when to when, in a row for each member, and the facts that changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from serverdomain.adapters.charts.chart import LOOKS, PLAIN, Chart, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from serverdomain.projections.history import HistoryEntry

_WIDTH = 10.0
_OF_A_CHARACTER = 0.0083
"""Of the width of a chart: a narrower band shows no text."""


class Band(NamedTuple):
    """A value that held from ``begin`` to ``end``, on whatever runs to the right."""

    begin: float
    end: float
    text: str


class Mark(NamedTuple):
    """A fact at a place, in the row of its kind."""

    at: float
    kind: str
    text: str = ""


def bands(
    title: str,
    rows: Mapping[str, Sequence[tuple[float, float, str]]],
    *,
    along: str,
    marks: Sequence[tuple[float, str, str]] = (),
) -> Chart:
    """A row for each name, with what held from where to where; above them ``marks``, if any.

    ``along`` says what runs to the right. A mark is a place, a kind and what it did.
    """
    placed = [Mark(*mark) for mark in marks]
    kinds = list(dict.fromkeys(mark.kind for mark in placed))
    figure, axes = new_axes(title, _WIDTH, 1.1 + 0.36 * len(kinds) + 0.42 * len(rows))
    held = {name: [Band(*band) for band in row] for name, row in rows.items()}
    begin = min(band.begin for row in held.values() for band in row)
    end = max(band.end for row in held.values() for band in row)
    for number, row in enumerate(held.values(), len(kinds)):
        _draw(axes, number + 0.15, row, end - begin)
    for number, kind in enumerate(kinds):
        some = [mark for mark in placed if mark.kind == kind]
        _draw_marks(axes, number, some, len(kinds), Band(begin, end, ""))
    axes.set_yticks(
        [
            *range(len(kinds)),
            *(number + 0.15 for number in range(len(kinds), len(kinds) + len(rows))),
        ],
        [*kinds, *rows],
    )
    axes.set_ylim(len(kinds) + len(rows) - 0.3, -0.6)
    axes.set_xlim(begin, end)
    axes.set_xlabel(along)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=9)
    return Chart(figure, _words(title, along, placed, held))


def story(title: str, history: Sequence[HistoryEntry], *members: str) -> Chart:
    """A server's facts, and from when to when its ``members`` (JSON Pointers) had which value.

    Without members, its status. Time runs to the right, in seconds from its first fact.
    """
    first, last = history[0].occurred_at, history[-1].occurred_at
    end = _seconds(first, last) * 1.12 or 1.0
    marks = [(_seconds(first, one.occurred_at), one.name, _changed(one)) for one in history]
    rows = {
        path.strip("/").removesuffix("/id"): _held(path, history, end)
        for path in members or ("/status",)
    }
    along = f"seconds after {first:%Y-%m-%d %H:%M:%S} UTC"
    return bands(title, rows, along=along, marks=marks)


def _seconds(first: datetime, moment: datetime) -> float:
    return (moment - first).total_seconds()


def _held(path: str, history: Sequence[HistoryEntry], end: float) -> list[Band]:
    first = history[0].occurred_at
    turns = [
        (_seconds(first, entry.occurred_at), short(change.after))
        for entry in history
        for change in entry.changes
        if change.path == path
    ]
    ends = [*(at for at, _ in turns[1:]), end]
    return [Band(at, until, value) for (at, value), until in zip(turns, ends, strict=True)]


def _changed(entry: HistoryEntry) -> str:
    if all(change.before is None for change in entry.changes):
        return ""  # Its beginning: all is new.
    told = [change for change in entry.changes if not change.path.startswith("/fault")]
    if len(told) > 1:  # Its progress goes with its status.
        told = [change for change in told if change.path != "/progress"]
    return ", ".join(
        f"{change.path.removesuffix('/id').rsplit('/', 1)[-1]}: "
        f"{short(change.before)} → {short(change.after)}"
        for change in told
    )


def short(value: object) -> str:
    """A value as a chart has room for it: of an id its first eight digits."""
    text = "none" if value in (None, "") else str(value)
    return text if len(text) < 16 else f"{text[:8]}…"


def _draw(axes: Axes, y: float, row: Sequence[Band], whole: float) -> None:
    turn, before = 0, ""
    for begin, end, text in row:
        turn += text != before  # Another shade is another value.
        look, before = LOOKS.get(text, PLAIN[turn % len(PLAIN)]), text
        axes.barh(
            y,
            end - begin,
            0.7,
            begin,
            color=look.ground,
            hatch=look.hatch,
            edgecolor="#565d63",
            linewidth=0.6,
        )
        if (end - begin) / whole > len(text) * _OF_A_CHARACTER:
            ground = {"boxstyle": "square,pad=0.15", "facecolor": look.ground, "linewidth": 0}
            middle = (begin + end) / 2
            axes.text(
                middle, y, text, ha="center", va="center", fontsize=9, color=look.ink, bbox=ground
            )


def _draw_marks(axes: Axes, row: int, marks: Sequence[Mark], below: int, whole: Band) -> None:
    """The marks of one kind, each with its text where there is room for it."""
    ends = [*(mark.at for mark in marks[1:]), whole.end]
    free = whole.begin
    for mark, following in zip(marks, ends, strict=True):
        axes.vlines(mark.at, row, below - 0.2, color="#b6bec4", linewidth=1, zorder=1)
        axes.plot(mark.at, row, "o", color="#0072b2", markersize=8, zorder=3, clip_on=False)
        width = (len(mark.text) + 3) * _OF_A_CHARACTER * (whole.end - whole.begin)
        behind = mark.at + width <= following
        if behind or free + width <= mark.at:
            axes.annotate(
                mark.text,
                (mark.at, row),
                xytext=(9 if behind else -9, 0),
                textcoords="offset points",
                ha="left" if behind else "right",
                va="center",
                fontsize=9,
                bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "linewidth": 0},
                zorder=2,
            ).set_in_layout(False)
        free = mark.at + width if behind else mark.at


def _words(
    title: str, along: str, marks: Sequence[Mark], rows: Mapping[str, Sequence[Band]]
) -> str:
    facts = [f"at {mark.at:g} {mark.kind}{mark.text and f' ({mark.text})'}" for mark in marks]
    held = [
        f"{name}: " + ", ".join(f"{band.text} from {band.begin:g} to {band.end:g}" for band in row)
        for name, row in rows.items()
    ]
    told = "; ".join([*facts, *held])
    return f"{title}. From left to right, {along}: {told}."
