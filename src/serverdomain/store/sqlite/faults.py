"""SQLite's errors, in words for the person who has to act on them."""

from __future__ import annotations

import os
import sqlite3

from serverdomain.errors import StoreDamaged, StoreError, StoreLocked, StoreReadOnly
from serverdomain.store.sqlite.opened_file import identity, out_of_reach
from serverdomain.store.sqlite.place import Place

_WORDS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (StoreLocked, "is locked by another process"),
    sqlite3.SQLITE_LOCKED: (StoreLocked, "is locked by another connection"),
    sqlite3.SQLITE_FULL: (StoreError, "cannot grow: the disk is full"),
    sqlite3.SQLITE_IOERR: (StoreError, "cannot be read or written: an I/O error"),
    sqlite3.SQLITE_CANTOPEN: (StoreError, "cannot be opened"),
    sqlite3.SQLITE_PERM: (StoreError, "may not be opened"),
    sqlite3.SQLITE_READONLY: (StoreReadOnly, "may not be written"),
    sqlite3.SQLITE_CORRUPT: (StoreDamaged, "is damaged"),
    # It was checked before that the file is ours.
    sqlite3.SQLITE_NOTADB: (StoreDamaged, "is damaged"),
}


def store_error(error: Exception, place: object) -> StoreError:
    """Our error for one of SQLite's; one of ours as it is."""
    if isinstance(error, StoreError):
        return error
    # The low byte is the primary result code. Errors of the Python module itself have no code.
    code = getattr(error, "sqlite_errorcode", None)
    kind, words = _WORDS.get((code or 0) & 0xFF, (StoreError, "cannot be used"))
    ours = kind(f"{place} {words} ({error})")
    ours.place = place
    return ours


def is_read_only(error: BaseException) -> bool:
    """Whether SQLite said that it may not write."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY


def error_in_use(error: Exception, place: Place, waited: str) -> StoreError:
    """The same for an open database; ``waited`` says how long it waited for a lock."""
    ours = store_error(error, place)
    if isinstance(ours, StoreLocked):
        ours = StoreLocked(f"{ours}, {waited}")
    if place.path is not None and identity(str(place.path)) is None:
        return out_of_reach(place, "is gone")
    if is_read_only(error) and (closed := _closed_to_writing(place)):
        ours = StoreReadOnly(f"{closed} may not be written ({error})")
        ours.place = place
    return ours


def _closed_to_writing(place: Place) -> str | None:
    """Which of the files of a database this user may not write."""
    files = (f"{place}{beside}" for beside in ("", "-wal", "-shm"))
    return next((one for one in files if os.path.exists(one) and not _may_write(one)), None)


def _may_write(path: str) -> bool:
    # As who this process works, which may be somebody else than who began it.
    follow = os.access in os.supports_effective_ids
    return os.access(path, os.W_OK, effective_ids=follow)
