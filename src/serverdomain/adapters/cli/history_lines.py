"""A history as lines: coloured and fitted on a terminal, whole and plain anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

from serverdomain.adapters.cli.answers import (
    Line,
    console,
    is_terminal,
    say,
    visible,
    width,
    written,
)
from serverdomain.adapters.cli.fitting import columns_of, wrapped

if TYPE_CHECKING:
    from serverdomain.domain.document import Change
    from serverdomain.projections.history import HistoryEntry

Pieces = list[Line]
"""A line in pieces, each with its style in `rich`; a narrow terminal breaks it between them."""

_LINES = 1_000
_LONGEST_METADATA = 200


def say_history(
    entries: Iterable[HistoryEntry], *, named: bool, oneline: bool = False, full: bool = False
) -> None:
    """Print a history as it comes; with the server of each event if ``named``.

    ``oneline`` gives each event one line; ``full`` every leaf of a birth or a deletion.
    """
    lines = _told(entries, named, oneline, full)
    while some := list(islice(lines, _LINES)):
        if is_terminal(sys.stdout):
            say(_drawn(some))
        else:
            say("\n".join(map(_plain, some)))


def told(entries: Iterable[HistoryEntry]) -> Iterator[str]:
    """A server's history as lines of plain text."""
    return map(_plain, _told(entries, named=False, oneline=False, full=False))


def told_changes(changes: Iterable[Change]) -> Iterator[str]:
    """A line of text for each change of the document."""
    for change in changes:
        yield f"    {_plain(_change(change))}"


def _plain(line: Pieces) -> str:
    return "".join(text for text, _ in line)


def _told(
    entries: Iterable[HistoryEntry], named: bool, oneline: bool, full: bool
) -> Iterator[Pieces]:
    for entry in entries:
        head, changed = _head(entry, named), list(_changed(entry, full))
        if oneline:
            joined = [piece for one in changed for piece in (("  ", ""), *one)]
            yield head + joined
        else:
            yield head
            yield from ([("    ", ""), *one] for one in changed)


def _head(entry: HistoryEntry, named: bool) -> Pieces:
    of = [(f"  {entry.server_id}", "")] if named else []
    return [
        (str(entry.position), ""),
        (f"  {entry.as_json()['occurred_at']}", "dim"),
        (f"  {entry.name}", "bold"),
        *of,
        (f"  by {visible(entry.user_id)}", ""),
        (f" in {visible(entry.project_id)},", ""),
        (f" {entry.request_id}", "dim"),
    ]


def _changed(entry: HistoryEntry, full: bool) -> Iterator[Pieces]:
    if entry.version is None:
        data = entry.as_json()["data"]
        yield [
            (f"{data['kind']} refused by the rule of {data['rule']}:", "yellow"),
            (f" {visible(data['why'])}", ""),
        ]
    elif entry.call is not None:
        yield [(visible(entry.call), "cyan")]
    whole = None if full else _beginning_or_end(entry.changes)
    if whole is not None:
        yield whole
    else:
        yield from map(_change, entry.changes)


def _change(change: Change) -> Pieces:
    before, after = (
        "absent" if value is None else written(value) for value in (change.before, change.after)
    )
    return [(f"{visible(change.path)}:", "cyan"), (f" {before}", "red"), (f" -> {after}", "green")]


def _beginning_or_end(changes: Iterable[Change]) -> Pieces | None:
    """What a server was born as, or was when it was deleted, if these changes are that."""
    leaves = {change.path: (change.before, change.after) for change in changes}
    before, after = leaves.get("/id", (None, None))
    if (before is None) == (after is None):
        return None
    side = 0 if after is None else 1
    values = {path: both[side] for path, both in leaves.items()}
    metadata = {
        path.removeprefix("/metadata/").replace("~1", "/").replace("~0", "~"): value
        for path, value in values.items()
        if path.startswith("/metadata/")
    }
    told = [
        written(values["/name"]),
        str(values["/id"]),
        str(values["/status"]),
    ]
    # Of what it was made from, a source elsewhere may have told nothing.
    for what, path in (("image", "/image/id"), ("flavor", "/flavor/id"), ("of", "/tenant_id")):
        if values[path]:
            told.append(visible(f"{what} {values[path]}"))
    if metadata:
        items = written(metadata)
        is_long = len(items) > _LONGEST_METADATA
        told.append(f"metadata {f'of {len(metadata)} items' if is_long else items}")
    style = "red" if after is None else "green"
    pieces = [(f" {one}{',' * (number < len(told))}", style) for number, one in enumerate(told, 1)]
    return [("was" if after is None else "is", ""), *pieces]


def _drawn(lines: Iterable[Pieces]) -> str:
    from rich.text import Text

    page = StringIO()
    columns = width()
    text = Text("\n").join(
        Text.assemble(*fitted) for line in lines for fitted in _fitted(line, columns)
    )
    console(page, True).print(text, soft_wrap=True)
    return page.getvalue().removesuffix("\n")


def _fitted(line: Pieces, columns: int) -> Iterator[Pieces]:
    """A line as one or more, none of them wider than a terminal."""
    further = ("      ", "")
    shown: Pieces = []
    for text, style in line:
        if sum(columns_of(one) for one, _ in shown) + columns_of(text) > columns and text.strip():
            if any(one.strip() for one, _ in shown):
                yield _ended(shown)
                shown = [further]
            *whole, text = wrapped(text.lstrip(), max(columns - len(further[0]), 20))
            for part in whole:
                yield [*shown, (part, style)]
                shown = [further]
        shown.append((text, style))
    yield _ended(shown)


def _ended(line: Pieces) -> Pieces:
    """A line without the blanks at its end."""
    while line and not line[-1][0].strip():
        line = line[:-1]
    return [*line[:-1], *((text.rstrip(), style) for text, style in line[-1:])]
