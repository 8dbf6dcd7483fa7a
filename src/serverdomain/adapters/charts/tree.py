"""The tree of hashes over a log's events, and the way from an event up to the signed root."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from serverdomain.adapters.charts.chart import Chart, new_axes

_OTHER, _LINE = "#b3340a", "#8a949b"


class Node(NamedTuple):
    """A hash over the leaves from ``begin`` to before ``end``, where it is drawn, what is below."""

    begin: int
    end: int
    x: float
    y: float
    below: tuple[Node, ...] = ()


def tree(title: str, leaves: Sequence[str], marked: Collection[int] = ()) -> Chart:
    """A tree over leaves as RFC 9162 builds it; what a ``marked`` leaf changes is filled.

    ``marked`` counts leaves from 0. A name in camel case is written a word a line.
    """
    figure, axes = new_axes(title, 10, 4.2)
    root = _over(0, len(leaves))
    touched = 0
    for node in _all(root):
        is_other = not {*range(node.begin, node.end)}.isdisjoint(marked)
        touched += is_other
        for under in node.below:
            other = not {*range(under.begin, under.end)}.isdisjoint(marked)
            line = {"color": _OTHER, "linewidth": 2.4} if other else {"color": _LINE}
            axes.plot([under.x, node.x], [under.y, node.y], zorder=1, **line)
        box = {"boxstyle": "round,pad=0.4", "facecolor": _OTHER if is_other else "white"}
        said = "root" if node is root else _said(node, leaves)
        ink = "white" if is_other else "black"
        axes.text(node.x, node.y, said, ha="center", va="center", fontsize=9, color=ink, bbox=box)
    axes.set_xlim(-0.6, len(leaves) - 0.4)
    axes.set_ylim(-0.5, root.y + 0.5)
    axes.set_axis_off()
    words = f"{title}. A tree of hashes over {len(leaves)} leaves: {', '.join(leaves)}."
    if marked:
        named = ", ".join(leaves[leaf] for leaf in sorted(marked))
        words += f" Of {named} up to the root, {touched} hashes are others now."
    return Chart(figure, words)


def _over(begin: int, end: int) -> Node:
    if end - begin == 1:
        return Node(begin, end, begin, 0)
    # The left part is the largest power of two that is smaller than the whole.
    cut = begin + (1 << (end - begin - 1).bit_length() - 1)
    below = (_over(begin, cut), _over(cut, end))
    return Node(begin, end, sum(one.x for one in below) / 2, max(one.y for one in below) + 1, below)


def _all(node: Node) -> Iterator[Node]:
    yield node
    for under in node.below:
        yield from _all(under)


def _said(node: Node, leaves: Sequence[str]) -> str:
    if node.below:
        return f"{node.begin + 1}-{node.end}"
    return f"{node.end}\n" + re.sub(r"(?<=[a-z])(?=[A-Z])", "\n", leaves[node.begin])
