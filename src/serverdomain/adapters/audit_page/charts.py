"""Charts as SVG, drawn by pygal and coloured by the page's own style.

pygal brings a style and a script of its own inside each chart, which the page's policy forbids.
Both are taken out; what is left are shapes with classes, and those the page's style knows, in light
and in dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, tostring

from markupsafe import Markup

from serverdomain.adapters.audit_page.page import visible
from serverdomain.adapters.audit_page.plain_pygal import Style, pygal

_LEFT_OUT = ("defs", "style", "script", "desc", "title")
# pygal leaves as much room as the labels need in it; the page's style gives them the same size.
_STYLE = Style(label_font_size=14, major_label_font_size=14)
_LABELS = 8

Series = Mapping[str, Sequence[float]]


def columns(title: str, labels: Sequence[str], series: Series) -> Markup:
    """A column for each label, its parts stacked."""
    return _drawn(pygal.StackedBar(**_plain(), spacing=4), title, labels, series)


def lines(title: str, labels: Sequence[str], series: Series) -> Markup:
    """A line for each series; time runs to the right."""
    return _drawn(pygal.Line(**_plain(), show_dots=False), title, labels, series)


def histogram(title: str, values: Sequence[float], unit: str, parts: int = 24) -> Markup:
    """How many values lie in each of so many equal parts of their range."""
    top = max(values, default=0) or 1
    counts = [0] * parts
    for value in values:
        counts[min(int(value / top * parts), parts - 1)] += 1
    labels = [f"{top * (part + 1) / parts:.3g}" for part in range(parts)]
    return columns(title, labels, {f"at most so many {unit}": counts})


def _plain() -> dict[str, Any]:
    return {
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


def _drawn(chart: Any, title: str, labels: Sequence[str], series: Series) -> Markup:
    step = max(-(-len(labels) // _LABELS), 1)
    chart.x_labels = list(labels)
    chart.x_labels_major = list(labels)[::step]
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
