"""What SQLite says when something is wrong, in words for the person who has to act on it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from serverdomain.errors import StoreDamaged, StoreError, StoreLocked, StoreMissing


class CommitFailed(StoreError):
    """A commit failed, so that nobody can tell whether it happened."""


_WORDS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (StoreLocked, "is locked by another process"),
    sqlite3.SQLITE_LOCKED: (StoreLocked, "is locked by another connection"),
    sqlite3.SQLITE_FULL: (StoreError, "cannot grow: the disk is full"),
    sqlite3.SQLITE_IOERR: (StoreError, "cannot be read or written: an I/O error"),
    sqlite3.SQLITE_CANTOPEN: (StoreError, "cannot be opened"),
    sqlite3.SQLITE_PERM: (StoreError, "may not be opened"),
    sqlite3.SQLITE_READONLY: (StoreError, "may not be written"),
    sqlite3.SQLITE_CORRUPT: (StoreDamaged, "is damaged"),
    # Whose file it is was asked before.
    sqlite3.SQLITE_NOTADB: (StoreDamaged, "is damaged"),
}


def store_error(error: Exception, place: object, waited: str = "") -> StoreError:
    """The error of ours for one of SQLite's; ``waited`` is said of a lock."""
    path = getattr(place, "path", None)
    # The low byte is the primary result code; errors of the Python module itself have none.
    code = getattr(error, "sqlite_errorcode", None)
    kind, words = _WORDS.get((code or 0) & 0xFF, (StoreError, "cannot be used"))
    said = f"{place} {words} ({error})"
    if isinstance(path, Path) and not path.exists():
        kind, said = StoreMissing, f"{place} is gone"
    elif kind is StoreLocked and waited:
        said = f"{said}, {waited}"
    ours = kind(said)
    ours.place = place
    return ours
