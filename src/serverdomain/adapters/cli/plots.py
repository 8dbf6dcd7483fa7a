"""Plots as text, drawn by plotext, which comes with the extra ``audit``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotext  # type: ignore[import-untyped]

_WIDTH, _HEIGHT = 100, 16
_LABELS = 8
_BINS = 40


def histogram(values: Sequence[float], title: str) -> str:
    """How often values occur, from 0 on; a single value is a plot too."""
    most = max((1.0, *values))
    counts = [0] * _BINS
    for value in values:
        counts[min(int(value / most * _BINS), _BINS - 1)] += 1
    figure = _figure(title)
    middles = [(place + 0.5) * most / _BINS for place in range(_BINS)]
    figure.draw(figure.bar(middles, counts, width=1))
    shown = [most * place / _LABELS for place in range(_LABELS + 1)]
    figure.ruler("x").ticks(shown, [f"{value:.1f}" for value in shown])
    return _drawn(figure)


def lines(months: Sequence[str], series: Mapping[str, Sequence[float]], title: str) -> str:
    """A line over the months for each name."""
    figure = _figure(title)
    for name, values in series.items():
        line = figure.signal(list(range(len(months))), list(values)).lines(True).label(name)
        figure.draw(line)
    every = max(1, len(months) // _LABELS)
    shown = list(range(0, len(months), every))
    figure.ruler("x").ticks(shown, [months[place] for place in shown])
    return _drawn(figure)


def _figure(title: str) -> plotext.figure:
    figure = plotext.figure
    figure.clear()
    figure.plot_size(_WIDTH, _HEIGHT)
    figure.theme("colorless")
    figure.title(title)
    return figure


def _drawn(figure: plotext.figure) -> str:
    text: str = plotext.uncolorize(figure.build())
    return "\n".join(line.rstrip() for line in text.splitlines())
