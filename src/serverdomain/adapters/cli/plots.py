"""Plots in a terminal, drawn by plotext, which comes with the extra ``audit``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

try:
    import plotext  # type: ignore[import-untyped]
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"plots need {missing.name}, which is not installed; "
        "pip install 'serverdomain[audit]' brings it",
        name=missing.name,
    ) from None

_WIDTH, _HEIGHT = 100, 16
_LABELS = 8


def histogram(values: Sequence[float], title: str) -> str:
    """How often values come."""
    figure = _figure(title)
    figure.draw(figure.hist(list(values), bins=40))
    return _drawn(figure)


def lines(months: Sequence[str], series: Mapping[str, Sequence[float]], title: str) -> str:
    """A line for each name, over months."""
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
