"""The file of a view, open: read in snapshots, written in transactions, missed when it goes.

It is a cache: anybody may remove it at any time, and another process that finds it damaged puts it
aside. Then connections here would go on with a file that nobody else sees, so every use asks
whether it still lies in its place.
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

# No such table, a row that is there twice, or a value that cannot be: not what we wrote.
_UNSOUND = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
)


class ViewFile:
    """A view's file at a place, or a view in memory; ``kept`` are its rows.

    Every use raises `StoreMissing` where the file is gone from its place, and `StoreDamaged` where
    it holds what was never written to it.
    """

    def __init__(self, place: Place, kept: KeptRows, *, new: bool = False) -> None:
        self.place = place
        self.kept = kept
        self.connections = Connections(place, durable=False)
        if new:
            make(self.connections)
        self._identity = self._on_disk()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A snapshot: whatever others write meanwhile, it shows the view as it was."""
        with self._sound(), self.connections.snapshot() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the view's write lock, committed at the end."""
        with self._sound(), self.connections.writing() as connection:
            # From here on SQLite has all its files open: what others do to their names now does no
            # harm to anybody.
            self._require_there()
            yield connection

    def is_there(self) -> bool:
        """Whether the file is the one that lies in its place."""
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
            if error.place != self.place or code & 0xFF not in _UNSOUND:
                raise
            damage = StoreDamaged(f"{self.place} is damaged ({error.__cause__})")
            damage.place = self.place
            raise damage from error
        self._require_there()
