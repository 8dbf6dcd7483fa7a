"""Tables: whole off a terminal, and on one as wide as it is, so that it never breaks a line.

What does not fit is made to: times lose what is below a second, ids all but their beginnings, the
last column's first, times seconds and then hours. Then the widest columns are shortened in the
middle, or wrapped. Where that leaves too little, each row is a record, with a line for each column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from serverdomain.adapters.cli.answers import Line, say, say_lines, visible, width
from serverdomain.adapters.cli.fitting import columns_of, wrapped

_GAP = 2
_SHORT_ID = 8
_NARROWEST = 8
# UUIDs, request ids, and what Keystone and Nova call projects, users and hosts.
_ID = re.compile(r"(req-)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,64})")
_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)(T\d\d:\d\d)(:\d\d)?(?:\.\d+)?Z$", re.ASCII)
_NUMBER = re.compile(r"-|[\d.:,]+%?")


@dataclass(eq=False)
class _Column:
    """A column: its head and its cells, and whether they are wrapped instead of shortened."""

    head: str
    cells: list[str]
    wraps: bool

    def __post_init__(self) -> None:
        # A column of hyphens alone counts nothing.
        counted = {*self.cells} - {"-"}
        self.is_number = bool(counted) and all(map(_NUMBER.fullmatch, counted))
        self.width = self._widest()

    def _widest(self) -> int:
        return max(map(columns_of, (self.head, *self.cells)))

    def shorten_ids(self) -> None:
        """Leave of each id its beginning, long enough to tell it from the others."""
        found = {cell: id for cell in self.cells if (id := _ID.fullmatch(cell))}
        length = _SHORT_ID
        while len({_beginning(id, length) for id in found.values()}) < len(found):
            length += 1
        self._write(lambda cell: _beginning(found[cell], length) if cell in found else cell)

    def shorten_times(self, form: str) -> None:
        """Write times in a shorter form, made of the groups of `_TIME`."""
        self._write(lambda cell: _TIME.sub(form, cell))

    def _write(self, anew: Callable[[str], str]) -> None:
        self.cells = [anew(cell) for cell in self.cells]
        self.width = self._widest()

    def lines(self, cell: str) -> list[str]:
        """The lines of a cell, each as wide as the column."""
        whole = columns_of(cell)
        if whole <= self.width:
            lines, widths = [cell], [whole]
        else:
            lines = wrapped(cell, self.width) if self.wraps else [shortened(cell, self.width)]
            widths = [columns_of(line) for line in lines]
        gaps = (" " * (self.width - wide) for wide in widths)
        if self.is_number:
            return [gap + line for line, gap in zip(lines, gaps, strict=True)]
        return [line + gap for line, gap in zip(lines, gaps, strict=True)]


_SHORTER: tuple[Callable[[_Column], None], ...] = (
    lambda column: column.shorten_times(r"\1\2\3Z"),
    _Column.shorten_ids,
    lambda column: column.shorten_times(r"\1\2Z"),
    lambda column: column.shorten_times(r"\1"),
)


def say_table(
    heads: Iterable[str],
    rows: Iterable[Iterable[object]],
    *,
    wrapped: Collection[str] = (),
    long: bool = False,
) -> None:
    """Print a table; the columns ``wrapped`` are wrapped and not shortened.

    If it is ``long``, nothing at all is shortened, and rows that do not fit are records.
    """
    names = list(heads)
    cells = [[visible(str(value)) or "-" for value in row] for row in rows]
    columns = [
        _Column(name, [row[place] for row in cells], name in wrapped)
        for place, name in enumerate(names)
    ]
    room = width()
    if not (_fits(columns, room) if long else _fit(columns, room)):
        _say_records(names, cells, room)
        return
    say_lines([(line, "bold") for line in _drawn(columns, names)])
    body = zip(*(column.cells for column in columns), strict=True)
    if lines := [line for row in body for line in _drawn(columns, row)]:
        say("\n".join(lines))


def _say_records(names: Sequence[str], rows: Iterable[Sequence[str]], room: int) -> None:
    beside = max(map(columns_of, names)) + _GAP
    lines: list[Line] = []
    for row in rows:
        if lines:
            lines.append(("", ""))
        for name, cell in zip(names, row, strict=True):
            for place, part in enumerate(wrapped(cell, max(room - beside, 1))):
                lines.append((f"{'' if place else name:{beside}}{part}".rstrip(), ""))
    if lines:
        say_lines(lines)


def shortened(text: str, width: int) -> str:
    """Text of at most so many columns, with an ellipsis for what is left out of its middle."""
    if columns_of(text) <= width:
        return text
    right = (width - 1) // 2
    end = ""
    for character in reversed(text):
        if columns_of(character + end) > right:
            break
        end = character + end
    start = ""
    for character in text:
        if columns_of(start + character) > width - 1 - right:
            break
        start += character
    return f"{start}…{end}"


def _fits(columns: Sequence[_Column], room: int) -> bool:
    return sum(one.width for one in columns) + _GAP * (len(columns) - 1) <= room


def _fit(columns: Sequence[_Column], room: int) -> bool:
    """Make columns fit, if they can."""
    for shorten in _SHORTER:
        for column in reversed(columns):
            if _fits(columns, room):
                return True
            shorten(column)
    # What is widest gives most: no column is wider than a level that all have room below.
    widths = [column.width for column in columns]
    room -= _GAP * (len(columns) - 1)
    level = min(max(widths), max(room, 0))
    while sum(min(wide, level) for wide in widths) > room:
        level -= 1
    if level < _NARROWEST:
        return False
    for column in columns:
        column.width = min(column.width, level)
    return True


def _drawn(columns: Sequence[_Column], row: Sequence[str]) -> Iterator[str]:
    cells = [column.lines(cell) for column, cell in zip(columns, row, strict=True)]
    for line in zip_longest(*cells):
        filled = (
            " " * column.width if part is None else part
            for column, part in zip(columns, line, strict=True)
        )
        yield (" " * _GAP).join(filled).rstrip()


def _beginning(id: re.Match[str], length: int) -> str:
    return f"{id[1] or ''}{id[2][:length]}"
