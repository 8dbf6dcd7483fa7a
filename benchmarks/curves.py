"""The curves of growth as a picture, with no font or file of anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.growth import CURVES, Growth

_GROUND, _TEXT, _LINE, _GRID = "#16191e", "#d8dbe0", "#7ed385", "#3a404a"
STYLE: Any = {
    # The same run gives the same file, and its words stay words.
    "svg.hashsalt": "growth",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _TEXT,
    "axes.labelcolor": _TEXT,
    "axes.edgecolor": _GRID,
    "axes.facecolor": _GROUND,
    "figure.facecolor": _GROUND,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
    "grid.color": _GRID,
}
"""How pictures of measurements look."""


def draw(growth: Growth, file: Path) -> None:
    """A small picture for each curve: events to the right, tenfold by tenfold, its cost upwards."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 5), layout="constrained")
        panels = figure.subplots(2, len(CURVES) // 2).flat
        for panel, (curve, what) in zip(panels, CURVES.items(), strict=True):
            values = [point[curve] for point in growth.points.values()]
            panel.plot([*growth.points], values, color=_LINE, marker="o", markersize=3)
            panel.set_xscale("log")
            panel.set_ylim(0, max(values) * 1.3)
            panel.set_title(what, fontsize=8)
            panel.grid(visible=True, linewidth=0.5)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
