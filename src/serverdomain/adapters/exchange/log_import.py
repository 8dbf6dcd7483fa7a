"""The lines of an exported log taken back: the same rows, at the same positions.

What the log holds already is compared, so that a log goes on from where it was interrupted, and is
never mixed with another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, NamedTuple

from serverdomain.adapters.exchange.line import LONGEST, Line, read
from serverdomain.adapters.exchange.pages import pages
from serverdomain.errors import Conflict, InvalidInput
from serverdomain.store.log import Log, Row

_AT_ONCE = 2_048
_BYTES_AT_ONCE = 4 * 1024 * 1024

Told = Callable[[int], object]
"""Is told how many bytes were read."""


class Imported(NamedTuple):
    """How many lines were read; of them, how many are new in the log, and how many were there.

    ``position`` is the log's last; ``same_id`` says whether it has the id of the log that was
    exported, under which older checkpoints of it hold.
    """

    read: int
    imported: int
    repeated: int
    position: int
    same_id: bool


def import_log(
    opened: Callable[[str], AbstractContextManager[Log]], file: IO[bytes], told: Told
) -> Imported:
    """Take back the lines of a file; ``opened`` is given the id for a log that is made for them.

    What stands before a line that is wrong is taken in. Raises `InvalidInput` for such a line,
    `Conflict` where the log holds other events, and `StoreError`.
    """
    found = _lines(file, told)
    first = next(found, None)
    if first is None:
        raise InvalidInput("log", "no line came, those of serverdomain export are allowed")
    with opened(first[1].log_id) as log:
        return _Import(log, first[1].log_id).run(first, found)


_Found = tuple[int, Line, Row, int]
"""The number of a line, the line, its row, and its bytes."""


def _lines(file: IO[bytes], told: Told) -> Iterator[_Found]:
    number = 0
    done = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        found, row = read(line, number)
        yield number, found, row, len(line)
        done += len(line)
        if number % _AT_ONCE == 0:
            told(done)


class _Import:
    def __init__(self, log: Log, log_id: str) -> None:
        self._log = log
        with log.reading() as reading:
            self._own_id = reading.log_id()
            self._head = reading.head()
            last = reading.row(self._head) if self._head else None
        self._log_id = log_id
        self._last = last
        self._position = self._written = self._head
        self._there: Iterator[Row] | None = None
        self._batch: list[Row] = []
        self._weight = self.read = self.imported = self.repeated = 0

    def run(self, first: _Found, others: Iterator[_Found]) -> Imported:
        self._require_joined(first)
        try:
            self._take(first)
            for found in others:
                self._take(found)
        finally:
            # What came before a wrong line is whole.
            self._write()
        same_id = self._log_id == self._own_id
        return Imported(self.read, self.imported, self.repeated, self._position, same_id)

    def _require_joined(self, first: _Found) -> None:
        _, line, row, _ = first
        if row[0] <= self._head:
            with self._log.reading() as reading:
                before = reading.last(line.before)
            if before != line.before:
                raise Conflict(
                    f"line 1: an event behind position {line.before} came, but the log's own "
                    f"stands behind position {before}"
                )
            self._there = (row for some in pages(self._log, before, self._head) for row in some)
        elif self._head and self._log_id != self._own_id:
            raise Conflict(
                f"line 1: position {row[0]} of log {self._log_id} came, this is log {self._own_id} "
                f"with events up to position {self._head}: lines from position {self._head} or "
                "before on are allowed, which can be compared"
            )

    def _take(self, found: _Found) -> None:
        number, line, row, size = found
        if line.log_id != self._log_id:
            raise InvalidInput(
                f"line {number}", f"an event of log {line.log_id} came, of {self._log_id} before"
            )
        self.read += 1
        if self._there is not None and row[0] <= self._head:
            if next(self._there, None) != row:
                raise Conflict(f"line {number}: the log holds another event at position {row[0]}")
            self.repeated += 1
            return
        self._require_next(number, line, row)
        self._last = row
        self._position = row[0]
        self._batch.append(row)
        self._weight += size
        if len(self._batch) == _AT_ONCE or self._weight >= _BYTES_AT_ONCE:
            self._write()

    def _require_next(self, number: int, line: Line, row: Row) -> None:
        if line.before != self._position:
            raise Conflict(
                f"line {number}: the event behind position {line.before} came, the one behind "
                f"{self._position} is allowed"
            )
        last = self._last
        if last is not None and row[5] is not None and row[5] == last[5] and row[6:] != last[6:]:
            raise InvalidInput(
                f"line {number}", f"command_id: command {row[5]} was another one in the line before"
            )

    def _write(self) -> None:
        batch, self._batch, self._weight = self._batch, [], 0
        if not batch:
            return
        with self._log.bulk() as log:
            head = log.head()
            if head != self._written:
                raise Conflict(f"another process took the log to position {head} meanwhile")
            log.append_rows(batch)
        self._written = batch[-1][0]
        self.imported += len(batch)
