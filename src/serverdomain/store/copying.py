"""A log moves house: all its rows as they are, compared, and then nobody writes to the old place.

What is copied stays where it is put, so a copy that was cut short is gone on with. Most of it is
copied while others go on writing; only the last of it once they may not. Until the end nobody else
opens the copy. So there is at no time a second log with this id that takes commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import zip_longest
from types import NoneType
from typing import NamedTuple, Protocol

from serverdomain.domain.progress import Progress, silent
from serverdomain.errors import StoreDamaged, StoreForeign, StoreReadOnly
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Examination, Reading, Row

_Kinds = tuple[type, ...]
_TEXT: _Kinds = (str,)
_NUMBER: _Kinds = (int,)
_KINDS: tuple[_Kinds, ...] = (
    *(_NUMBER, _TEXT, _NUMBER, _TEXT, (str, bytes), (int, NoneType)),
    *(_TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT, _TEXT),
    *((str, NoneType), (str, NoneType), _NUMBER, _NUMBER, _NUMBER),
)
"""What the columns of `Reading.rows` may hold."""
_OF_EVENT = 6


class Filling(Protocol):
    """A log that is made of another one's rows, and that nobody else opens before it is whole."""

    place: str
    """Where it will lie, as a person is told."""

    def reading(self) -> AbstractContextManager[Examination]:
        """What is there so far."""

    def put(self, rows: Sequence[Row]) -> None:
        """Append events as `Reading.rows` gives them, with their commands; kept as a whole.

        Raises `StoreError` where they cannot be kept as they are.
        """

    def finish(self, bookmarks: Sequence[Bookmark]) -> None:
        """Keep the places of reactions, and let it be opened: it is whole."""


class Source(Protocol):
    """The log that moves."""

    place: str
    """Where it lies, as a person is told."""

    def reading(self) -> AbstractContextManager[Reading]:
        """The log as it is now."""

    def move_to(self, place: str) -> None:
        """Let nobody write to it any more, and say where it went."""

    def close(self) -> None:
        """Give back what it holds."""


class Copied(NamedTuple):
    """A log that moved: where from, where to, its id, and how many events it holds."""

    source: str
    place: str
    log_id: str
    events: int


def copy(source: Source, to: Filling, progress: Progress = silent) -> Copied:
    """Copy a log, as it is, to where it will be from now on; the source is only read thereafter.

    ``progress`` is told how many rows are copied and compared, of how many. Raises `StoreForeign`
    where what is there so far is of another log, `StoreReadOnly` where the source went elsewhere,
    `StoreDamaged` where it holds what no log is given, or the copy differs: then it is not opened.
    """
    with source.reading() as log:
        log_id, went = log.log_id(), log.moved_to()
        if lost := log.commands_without_events():
            raise StoreDamaged(f"command {lost[0]} of {source.place} has lost its events")
    if went not in (None, to.place):
        raise StoreReadOnly(f"{source.place} went to {went}: it cannot go to {to.place}, too")
    _require_same(source, to, log_id)
    _fill(source, to, progress)
    compared = _compared(source, to, 0, progress)
    # All that may fail for what the log holds has happened. The rest is short.
    if went is None:
        source.move_to(to.place)
    _fill(source, to, progress)
    events = _compared(source, to, compared, progress)
    with source.reading() as log:
        if (head := log.head()) != events:
            raise StoreDamaged(f"{to.place} ends at {events}, {source.place} at {head}")
        count, bookmarks = log.count(), log.bookmarks()
    to.finish(bookmarks)
    return Copied(source.place, to.place, log_id, count)


def _require_same(source: Source, to: Filling, log_id: str) -> None:
    with to.reading() as there, source.reading() as log:
        head = there.head()
        if there.log_id() != log_id or there.row(head) != log.row(head):
            raise StoreForeign(
                f"{to.place} is half a copy of another log than {source.place}: "
                "another place is allowed"
            )


def _fill(source: Source, to: Filling, progress: Progress) -> None:
    with to.reading() as there:
        last = there.head()
    # Page by page: whoever reads one state for long lets PostgreSQL clean nothing up.
    while True:
        with source.reading() as log:
            rows = next(log.rows(last), [])
            head = log.head()
        if not rows:
            return
        for row in rows:
            _require_sound(row, source)
        to.put(rows)
        last = rows[-1][0]
        progress(last, 2 * max(head, last))


def _compared(source: Source, to: Filling, after: int, progress: Progress) -> int:
    """Compare what is there with the source, row by row; gives the last position that is there."""
    last = after
    with to.reading() as there:
        head = there.head()
    for one, other in zip_longest(_rows(source.reading, after), _rows(to.reading, after)):
        if other is None:
            break  # The source has gone on meanwhile.
        if one != other:
            raise StoreDamaged(
                f"{to.place} differs from {source.place} at position {other[0]}: remove it, and "
                "copy again"
            )
        last = other[0]
        if last % 1_000 == 0 or last == head:
            progress(head + last, 2 * head)
    return last


def _rows(reading: Callable[[], AbstractContextManager[Reading]], after: int) -> Iterator[Row]:
    while True:
        with reading() as log:
            rows = next(log.rows(after), [])
        if not rows:
            return
        yield from rows
        after = rows[-1][0]


def _require_sound(row: Row, source: Source) -> None:
    kinds = map(type, row)
    of_command = row[_OF_EVENT:]
    if row[5] is None and not any(one is not None for one in of_command):
        kinds = map(type, row[:_OF_EVENT])
    sound = all(kind in allowed for kind, allowed in zip(kinds, _KINDS, strict=False))
    if not sound or any(isinstance(one, str) and not _is_utf8(one) for one in row):
        raise StoreDamaged(
            f"position {row[0]} of {source.place} holds what no log is given: serverdomain check "
            "says more"
        )


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
