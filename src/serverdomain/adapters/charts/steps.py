"""Numbers over time as steps: each holds until the next, and none between two is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from serverdomain.adapters.charts.chart import SERIES, Chart, new_axes
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HATCHES = ("", "//", "..", "xx", "\\\\", "--")


def steps(
    title: str,
    times: Sequence[datetime],
    series: Mapping[str, Sequence[float]],
    *,
    of: str,
    stacked: bool = True,
) -> Chart:
    """What was counted at each of two times or more, for each name; ``of`` says what.

    Stacked, the first name lies below. A name stands beside its last value. Raises `InvalidInput`
    for more than six names: nobody could tell them apart.
    """
    if len(series) > len(SERIES):
        raise InvalidInput("series", f"{len(series)} came, at most {len(SERIES)} are allowed")
    figure, axes = new_axes(title, 10, 4.4)
    # The last value holds as long as the one before it did.
    shown = [*times, times[-1] + (times[-1] - times[-2])]
    below = [0.0] * len(shown)
    places: list[tuple[float, str, str]] = []
    for number, (name, counted) in enumerate(series.items()):
        colour, values = SERIES[number], [*counted, counted[-1]]
        if stacked:
            above = [one + value for one, value in zip(below, values, strict=True)]
            axes.fill_between(
                shown, below, above, step="post", facecolor=f"{colour}66", edgecolor=colour,
                hatch=_HATCHES[number], linewidth=0.8,
            )  # fmt: skip
            places.append(((below[-1] + above[-1]) / 2, name, colour))
            below = above
        else:
            axes.step(shown, values, where="post", color=colour, linewidth=1.8)
            places.append((values[-1], name, colour))
    axes.set_xlim(shown[0], shown[-1])
    axes.set_ylim(0)
    _name(axes, places)
    axes.set_ylabel(of)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return Chart(figure, _words(title, times, series, of))


def _name(axes: Axes, places: Sequence[tuple[float, str, str]]) -> None:
    """Write each name at its height, beside the axes; moved up where two would touch."""
    least, free = axes.get_ylim()[1] / 18, 0.0
    for y, name, colour in sorted(places):
        ground = {"boxstyle": "square,pad=0.2", "linewidth": 0, "facecolor": f"{colour}55"}
        height, beside = max(y, free), axes.get_yaxis_transform()
        axes.text(1.01, height, name, transform=beside, va="center", fontsize=9, bbox=ground)
        free = height + least


def _words(
    title: str, times: Sequence[datetime], series: Mapping[str, Sequence[float]], of: str
) -> str:
    told = "; ".join(
        f"{name}: {values[0]:,g} at first, {max(values):,g} at most, {values[-1]:,g} at last"
        for name, values in series.items()
    )
    return f"{title}, {of}, from {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}. {told}."
