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


def out_of_reach(place: Place, gone: str) -> StoreError:
    """The error for a file without an `identity`: it is ``gone``, or may not be looked at."""
    try:
        os.stat(str(place.path))
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        return StoreError(f"{place} cannot be looked at: {error.strerror}")
    return StoreMissing(f"{place} {gone}")


def names(place: Place) -> int:
    """How many names (hard links) a file has; 1 for what is in memory or not there."""
    try:
        return 1 if place.path is None else os.stat(place.path).st_nlink
    except OSError:
        return 1


def links(path: str, identity: Identity | None) -> int:
    """How many names a file has; 0 if it is another than it was."""
    # At every use: nothing but the system is asked.
    try:
        found = os.stat(path)
    except OSError:
        return 0
    return found.st_nlink if (found.st_dev, found.st_ino) == identity else 0


class OpenedFile:
    """A database's file, and its ``-wal`` and ``-shm``, as they were when they were first seen.

    Whoever uses them compares; here is what else is to be done, and what to say.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self.path = str(place.path)
        self.wal = f"{self.path}-wal"
        self.identity: Identity | None = None
        self.shm = f"{self.path}-shm"
        self.forget_beside()

    def forget_beside(self) -> None:
        """See the ``-wal`` and ``-shm`` anew: the connection that writes is a new one."""
        self.wal_identity: Identity | None = None
        self.shm_identity: Identity | None = None

    def require_there(self) -> None:
        """Raise `StoreMissing` unless the file in its place is the one that was first seen."""
        now = identity(self.path)
        if self.identity is None:
            self.identity = now
        if now is None:
            raise out_of_reach(self._place, "is gone: nothing is there any more")
        if now != self.identity:
            raise StoreMissing(
                f"{self._place} is not the file that was opened, which somebody has replaced: "
                "open it anew"
            )

    def require_writable(self) -> None:
        """Raise `StoreError` unless the file has its one name, and beside it is what was there.

        At the beginning of each transaction and at its end: what is committed into another file, or
        another ``-wal``, nobody finds.
        """
        if (names := links(self.path, self.identity)) != 1:
            self._require_one_name(names)
        if not (links(self.wal, self.wal_identity) and links(self.shm, self.shm_identity)):
            self._require_beside()

    def _require_beside(self) -> None:
        # A commit goes into the -wal; by the -shm all who write take turns, and who finds none
        # makes a new one.
        wal, shm = identity(self.wal), identity(self.shm)
        for path, seen, now in (
            (self.wal, self.wal_identity, wal),
            (self.shm, self.shm_identity, shm),
        ):
            if seen not in (None, now):
                raise StoreMissing(
                    f"{path} was removed or replaced while {self._place} was open: open it anew"
                )
        self.wal_identity, self.shm_identity = wal, shm

    def _require_one_name(self, names: int) -> None:
        # Under a second name it has another -wal.
        self.require_there()
        if names < 1:
            return
        raise StoreError(
            f"{self._place} has {names} names (hard links), and what is written under one is lost "
            "under another: it may be read; remove the other names to write (find -xdev -samefile "
            f"{self._place} finds them)"
        )
