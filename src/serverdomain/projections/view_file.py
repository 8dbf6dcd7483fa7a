"""The open file of a view: read in snapshots, written in transactions.

It is a cache: anybody may remove it at any time, and another process that finds it damaged moves it
away. Connections here would then go on with a file that nobody else sees, so every use checks that
it is still in its place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from serverdomain.errors import StoreDamaged, StoreError, StoreMissing
from serverdomain.projections.kept_rows import KeptRows
from serverdomain.store.sqlite.connections import Connections
from serverdomain.store.sqlite.database import make
from serverdomain.store.sqlite.place import Place

# No such table, a duplicate row, or an impossible value: we wrote none of these.
_UNSOUND = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
)
# It is shorter than its own memory says.
_CUT = sqlite3.SQLITE_IOERR_SHORT_READ


class ViewFile:
    """A view's file at a place, or a view in memory; ``kept`` are its rows.

    Every use raises `StoreMissing` if the file is no longer in its place, and `StoreDamaged` if it
    holds what was never written to it.
    """

    def __init__(self, place: Place, kept: KeptRows, *, new: bool = False) -> None:
        self.place = place
        self.kept = kept
        self.connections = Connections(place, durable=False)
        self.connections.open.page_size = kept.page_size
        if new:
            make(self.connections)
        self._links = 1
        self._identity = self._on_disk()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A snapshot of the view, which later writes do not change."""
        with self._sound(), self.connections.snapshot() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the view's write lock, committed at the end.

        Raises `StoreDamaged` for a file with a second name, under which it has another ``-wal``.
        """
        if self._on_disk() == self._identity and self._links > 1:
            shared = StoreDamaged(f"{self.place} has {self._links} names (hard links)")
            shared.place = self.place
            raise shared
        with self._sound(), self.connections.writing() as connection:
            # SQLite now has all its files open: renaming or removing them does no harm.
            self._require_there()
            yield connection

    def is_there(self) -> bool:
        """Whether the file in its place is this one."""
        return self._identity is not None and self._identity == self._on_disk()

    def close(self) -> None:
        """Close the file."""
        self.connections.close()

    def _on_disk(self) -> tuple[int, int] | None:
        if self.place.path is None:
            return (0, 0)
        try:
            found = self.place.path.stat()
        except OSError:
            return None
        self._links = found.st_nlink
        return found.st_dev, found.st_ino

    def _require_there(self) -> None:
        if not self.is_there():
            raise StoreMissing(f"{self.place} is gone")

    @contextmanager
    def _sound(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            self._require_there()
            code = getattr(error.__cause__, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            if error.place != self.place or (code & 0xFF not in _UNSOUND and code != _CUT):
                raise
            damage = StoreDamaged(f"{self.place} is damaged ({error.__cause__})")
            damage.place = self.place
            raise damage from error
        self._require_there()
