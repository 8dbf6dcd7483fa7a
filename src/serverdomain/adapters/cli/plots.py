"""Plots of counts as text, drawn by plotext, which comes with the extra ``audit``.

On a terminal the lines of a plot differ by colour, elsewhere by the character they are drawn with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

import plotext  # type: ignore[import-untyped]

from serverdomain.adapters.cli.answers import say_coloured, shows_colours, width

_NARROWEST, _WIDEST, _HEIGHT = 60, 100, 16
_BINS = 40
_MOST_TICKS = 8
_MONTH = 10
# Of the 16 colours that every terminal can set: they are seen on dark and on light.
_COLOURS = (6, 3, 5, 2, 1, 4)
_FINE, _COARSE = "hd", "•x+o*#"


def say_histogram(values: Sequence[float], title: str) -> None:
    """Print how often values occur, from 0 on; a single value is a plot too."""
    most = max((1.0, *values))
    counts = [0] * _BINS
    for value in values:
        counts[min(int(value / most * _BINS), _BINS - 1)] += 1
    middles = [(place + 0.5) * most / _BINS for place in range(_BINS)]
    figure = _figure(title, max(counts))
    figure.draw(figure.bar(middles, counts, width=1, marker=plotext.marker("full", _COLOURS[0])))
    ticks = _ticks(most, least=0.1)
    figure.ruler("x").ticks(ticks, [f"{tick:g}" for tick in ticks])
    say_coloured(_drawn(figure))


def say_counts(months: Sequence[str], counts: Sequence[int], title: str) -> None:
    """Print a bar for each month: between two months nothing is counted."""
    figure = _figure(title, max(counts))
    places = list(range(len(counts)))
    marker = plotext.marker("full", _COLOURS[0])
    figure.draw(figure.bar(places, list(counts), width=0.6, marker=marker))
    _name_months(figure, months)
    say_coloured(_drawn(figure))


def say_series(months: Sequence[str], series: Mapping[str, Sequence[int]], title: str) -> None:
    """Print a line over the months for each name, and below them which is which."""
    figure = _figure(title, max(max(values) for values in series.values()))
    names = []
    fine = shows_colours()
    for (name, values), colour, coarse in zip(series.items(), _COLOURS, _COARSE, strict=False):
        marker = plotext.marker(_FINE if fine else coarse, colour)
        places = list(range(len(values)))
        figure.draw(figure.signal(places, list(values), marker=marker).lines(True))
        sign = plotext.colorize("━━" if fine else coarse, colour)
        names.append(f"{sign} {name}")
    _name_months(figure, months)
    say_coloured(_drawn(figure))
    if len(names) > 1:
        say_coloured("  " + "   ".join(names))


def _width() -> int:
    return max(_NARROWEST, min(width(), _WIDEST))


def _figure(title: str, most: int) -> plotext.figure:
    figure = plotext.figure
    figure.clear()
    # Or plotext draws no more than fits on the screen that it finds, if it finds one.
    plotext.terminal.limit(False, False)
    figure.plot_size(_width(), _HEIGHT)
    figure.theme("colorless")
    figure.title(title)
    # Servers and rebuilds are counted: there is no half one.
    ticks = _ticks(most, least=1)
    figure.ruler("y").ticks(ticks, [f"{tick:g}" for tick in ticks])
    figure.ruler("y").lim(0, max(most, ticks[-1]))
    return figure


def _name_months(figure: plotext.figure, months: Sequence[str]) -> None:
    shown = list(range(0, len(months), ceil(len(months) * _MONTH / _width())))
    figure.ruler("x").ticks(shown, [months[place] for place in shown])


def _ticks(most: float, least: float) -> list[float]:
    steps = (factor * least * 10**power for power in range(12) for factor in (1, 2, 5))
    step = next(step for step in steps if most / step <= _MOST_TICKS)
    return [place * step for place in range(ceil(most / step) + 1)]


def _drawn(figure: plotext.figure) -> str:
    return str(figure.build()).rstrip("\n")
