"""Charts as SVG, drawn by pygal and coloured by the page's own style.

pygal brings a style and a script of its own inside each chart, which the page's policy forbids.
Both are taken out; what is left are shapes with classes, and those the page's style knows, in light
and in dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any
from xml.etree.ElementTree import Element, tostring

from markupsafe import Markup

from serverdomain.adapters.audit_page.page import visible
from serverdomain.adapters.audit_page.plain_pygal import Style, pygal

_LEFT_OUT = ("defs", "style", "script", "desc", "title")
# pygal leaves as much room as the labels need in it; the page's style gives them the same size.
_STYLE = Style(label_font_size=14, major_label_font_size=14)
_LABELS = 8
_HEIGHTS = 6

Series = Mapping[str, Sequence[float]]


def columns(title: str, labels: Sequence[str], series: Series) -> Markup:
    """A column for each label, its parts stacked."""
    return _drawn(_columns(series), title, labels, labels[:: _step(labels)], series)


def lines(title: str, labels: Sequence[str], series: Series) -> Markup:
    """A line for each series; time runs to the right."""
    highest = max(map(max, series.values()), default=0) if labels else 0
    chart = pygal.Line(**_plain(highest), show_dots=False)
    return _drawn(chart, title, labels, labels[:: _step(labels)], series)


def histogram(title: str, values: Sequence[float], unit: str, parts: int = 24) -> Markup:
    """How many values lie in each of at most so many equal parts of their range."""
    top = max(values, default=0) or 1
    width = _round(top / parts)
    counts = [0] * ceil(top / width)
    for value in values:
        counts[max(ceil(value / width), 1) - 1] += 1
    labels = [f"{width * part:.6g}" for part in range(1, len(counts) + 1)]
    series = {f"at most so many {unit}": counts}
    step = _step(labels)
    return _drawn(_columns(series), title, labels, labels[step - 1 :: step], series)


def _columns(series: Series) -> Any:
    highest = max(map(sum, zip(*series.values(), strict=True)), default=0)
    return pygal.StackedBar(**_plain(highest), spacing=4)


def _step(labels: Sequence[str]) -> int:
    return max(-(-len(labels) // _LABELS), 1)


def _round(least: float) -> float:
    """The least of 1, 2, 5, 10, 20, … and of 0.5, 0.2, 0.1, … that is not below another."""
    power = 10.0 ** floor(log10(least))
    return next(power * one for one in (1, 2, 5, 10) if power * one >= least * (1 - 1e-9))


def _plain(highest: float) -> dict[str, Any]:
    # What is counted is whole, and so is what stands beside it.
    step = max(int(_round(max(highest, 1) / _HEIGHTS)), 1)
    return {
        # Where nothing is counted pygal fails with labels.
        "y_labels": [*range(0, ceil(highest / step) * step + 1, step)] if highest else None,
        "js": (),
        "style": _STYLE,
        "width": 900,
        "height": 340,
        "margin": 8,
        "margin_right": 40,
        "show_legend": False,
        "disable_xml_declaration": True,
        "truncate_label": -1,
        "x_label_rotation": 0,
        "show_minor_x_labels": False,
        "include_x_axis": True,
        "value_formatter": lambda value: f"{value:,.0f}",
    }


def _drawn(
    chart: Any, title: str, labels: Sequence[str], written: Sequence[str], series: Series
) -> Markup:
    chart.x_labels = list(labels)
    chart.x_labels_major = list(written)
    for name, values in series.items():
        chart.add(visible(name), list(values))
    root: Element = chart.render_tree()
    _take_out(root)
    root.attrib.pop("id", None)
    root.set("role", "img")
    root.set("aria-label", title)
    # Everything is an element or an attribute by now, in which ElementTree escapes.
    return Markup(tostring(root, "unicode"))


def _take_out(element: Element) -> None:
    element.attrib.pop("style", None)
    for child in list(element):
        # What a script would show beside a pointer, and comments, whose tag is a function.
        is_for_script = {"tooltip", "tooltip-overlay"} & {*str(child.get("class")).split()}
        if callable(child.tag) or child.tag in _LEFT_OUT or is_for_script:
            element.remove(child)
        else:
            _take_out(child)
