"""A chart: a figure of matplotlib with the text that says the same, and how all of them look."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from serverdomain.errors import ExtraMissing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Look(NamedTuple):
    """A ground, the ink on it, and a hatching, which a print without colours shows too."""

    ground: str
    ink: str = "black"
    hatch: str = ""


LOOKS: Mapping[str, Look] = {
    "ACTIVE": Look("#a6dccb"),
    "BUILD": Look("#bfe1f6", hatch=".."),
    "REBUILD": Look("#e69f00", hatch="//"),
    "SHUTOFF": Look("#565d63", ink="white"),
    "ERROR": Look("#f3c4a5", hatch="xx"),
    "absent": Look("#b3340a", ink="white", hatch="--"),
    "not there": Look("white"),
}
"""How each status looks, wherever it is drawn, and a value that is missing."""

PLAIN = (Look("#eef1f3"), Look("#d3dade"))
"""By turns, what has no look of its own."""

SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#565d63")
"""Lines and areas beside each other, by their order."""

_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "hatch.color": "#00000055",
    "hatch.linewidth": 0.8,
}


class Chart:
    """A picture that a notebook shows, and in words what it shows, its alternative text."""

    def __init__(self, figure: Figure, words: str) -> None:
        self.figure = figure
        self.words = words

    def png(self) -> bytes:
        """The picture; the same bytes for the same chart, on one release of matplotlib."""
        buffer = BytesIO()
        with _style():
            self.figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
        return buffer.getvalue()

    def __repr__(self) -> str:
        return self.words

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return self.png(), {"alt": self.words}


def new_axes(title: str, width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure in inches, with a title above it. Raises `ExtraMissing`."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ExtraMissing("a chart", error.name, "notebooks") from None
    with _style():
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title)
    return figure, axes


def _style() -> Any:
    from matplotlib import rc_context

    return rc_context(_STYLE)
