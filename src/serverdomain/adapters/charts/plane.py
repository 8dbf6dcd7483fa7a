"""Two clocks as a plane: to the right the moment asked about, upwards what had been heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, TypeVar

from serverdomain.adapters.charts.chart import LOOKS, Chart, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

Value = TypeVar("Value")


def plane(
    title: str, edges: Sequence[datetime], status: Callable[[datetime, datetime], str]
) -> Chart:
    """A square for every two spans of time, in the look of ``status(heard, about)`` in its middle.

    ``edges`` are the moments between which the squares lie, on either clock.
    """
    figure, axes = new_axes(title, 7.5, 6.6)
    middles = [begin + (end - begin) / 2 for begin, end in pairwise(edges)]
    rows = [[status(heard, about) for about in middles] for heard in middles]
    midnight = edges[0].replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [(edge - midnight).total_seconds() / 3600 for edge in edges]
    names = _draw(axes, hours, rows)
    axes.set_xlim(hours[0], hours[-1])
    axes.set_ylim(hours[0], hours[-1])
    axes.plot(hours, hours, "--", color="black", linewidth=1.2)
    axes.annotate(
        "what people saw\nwhen they looked", (hours[-1], hours[-1]), (-14, -52),
        textcoords="offset points", ha="right", va="top", fontsize=9,
        bbox={"boxstyle": "square,pad=0.25", "facecolor": "white", "linewidth": 0},
    )  # fmt: skip
    axes.set_xlabel("what was it at … (occurred_at)")
    axes.set_ylabel("as known at … (recorded_at)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{int(value)}:00")
    figure.legend(handles=names, loc="outside lower center", ncols=len(names), frameon=False)
    return Chart(figure, _words(title, middles, rows))


def _draw(axes: Axes, hours: Sequence[float], rows: Sequence[Sequence[str]]) -> list[Patch]:
    """Draw the areas of equal squares, and give what the legend says of them."""
    from matplotlib.patches import Patch, Rectangle

    for low, high, row in _runs(rows):
        for left, right, name in _runs(row):
            look, width = LOOKS[name], hours[right] - hours[left]
            corner = hours[left], hours[low]
            height = hours[high] - hours[low]
            axes.add_patch(
                Rectangle(corner, width, height, facecolor=look.ground, hatch=look.hatch)
            )
    return [
        Patch(facecolor=look.ground, edgecolor="#565d63", hatch=look.hatch, label=name)
        for name, look in LOOKS.items()
        if any(name in row for row in rows)
    ]


def _runs(values: Sequence[Value]) -> Iterator[tuple[int, int, Value]]:
    """Neighbours that are equal: where they begin, where they end, and what they are."""
    begin = 0
    for _, run in groupby(values):
        first, *rest = run
        yield begin, begin + 1 + len(rest), first
        begin += 1 + len(rest)


def _words(title: str, middles: Sequence[datetime], rows: Sequence[Sequence[str]]) -> str:
    told = [
        f"as known from about {middles[heard]:%H:%M} on: "
        + ", ".join(f"{name} from about {middles[about]:%H:%M}" for about, _, name in _runs(row))
        for heard, _, row in _runs(rows)
    ]
    return f"{title}. {'; '.join(told)}."
