"""Whether a file that was opened is still the one in its place.

A log may be removed, or put back from a backup, while a service has it open. SQLite would go on
reading and writing a file that nobody else finds. A look at the folder takes a microsecond.
"""

from __future__ import annotations

import os

from serverdomain.errors import StoreError, StoreMissing
from serverdomain.store.sqlite.place import Place

Identity = tuple[int, int]


def identity(path: str) -> Identity | None:
    """What tells the file at a path from every other; ``None`` where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def names(place: Place) -> int:
    """How many names (hard links) a file has; 1 for what is in memory or not there."""
    try:
        return 1 if place.path is None else os.stat(place.path).st_nlink
    except OSError:
        return 1


class OpenedFile:
    """A database's file, and the ``-wal`` beside it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._path = str(place.path)
        self._wal = f"{self._path}-wal"
        self._identity: Identity | None = None
        self._wal_identity: Identity | None = None

    def require_there(self) -> None:
        """Raise `StoreMissing` unless the file in its place is the one that was first seen."""
        self._seen()

    def opened_writer(self) -> None:
        """A connection that writes was opened: its ``-wal`` may be a new one."""
        self._wal_identity = None

    def require_writable(self) -> None:
        """Raise `StoreMissing` unless what a commit would go to is what others read.

        To be asked in a transaction. A file with a second name (a hard link) has another ``-wal``
        under it: `StoreError`, it may be read alone.
        """
        links = self._seen().st_nlink
        if links > 1:
            raise StoreError(
                f"{self._place} has {links} names (hard links), and what is written under one is "
                f"lost under another: it may be read; remove the other names to write (find -xdev "
                f"-samefile {self._place} finds them)"
            )
        wal = identity(self._wal)
        if self._wal_identity not in (None, wal):
            raise StoreMissing(
                f"{self._wal} was removed or replaced while {self._place} was open: open it anew"
            )
        self._wal_identity = wal

    def _seen(self) -> os.stat_result:
        try:
            found = os.stat(self._path)
        except OSError as error:
            raise StoreMissing(f"{self._place} is gone: {error.strerror}") from None
        now = found.st_dev, found.st_ino
        if self._identity is None:
            self._identity = now
        elif self._identity != now:
            raise StoreMissing(
                f"{self._place} is not the file that was opened, which somebody has replaced: "
                "open it anew"
            )
        return found
