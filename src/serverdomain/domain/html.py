"""An HTML table, as a notebook shows what is asked of it; whatever is in a cell is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with a caption and a head. A cell is text as it is; what is no text is JSON."""
    body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    return (
        f"<table><caption>{_escaped(caption)}</caption>"
        f"<thead><tr>{_cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cells(tag: str, cells: Iterable[object]) -> str:
    # What came last in one cell must not turn the direction of the next.
    return "".join(f'<{tag} dir="auto">{_escaped(_text(cell))}</{tag}>' for cell in cells)


def _escaped(text: str) -> str:
    from html import escape  # Only notebooks pay for it.

    return escape(text)


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
