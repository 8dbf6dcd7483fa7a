"""A file of ours read without writing: no byte of it changes, nor of what lies beside it.

SQLite writes beside what it reads, and whoever closes a database last folds its write-ahead log
into it. What lies beside the file decides how it is opened, so that this does not happen and yet
nothing that was committed is overlooked. It is opened anew for each question.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from serverdomain.errors import StoreError, StoreLocked
from serverdomain.store.lock_timeout import LOCK_TIMEOUT, lock_timeout_setting
from serverdomain.store.real_time import monotonic, now_ns, sleep
from serverdomain.store.sqlite.faults import error_in_use, store_error
from serverdomain.store.sqlite.place import Place
from serverdomain.store.sqlite.wal_file import holds_a_commit

_LOOK_AGAIN = 0.002  # Seconds between two looks at what another process is just changing,
_LOOKS = 20  # and how many.
_FRESH = 1_000_000_000  # What was written less than so many nanoseconds ago is just changing.

Stamp = tuple[int, int, int]
"""What a file is known by until somebody writes it: its inode, size and time."""


class Files(NamedTuple):
    """A database and what lies beside it, each as it is; ``None`` for what is not there."""

    database: Stamp | None
    wal: Stamp | None
    shm: Stamp | None
    journal: Stamp | None


class Way(NamedTuple):
    """How a file is opened: a query of its URI, and statements.

    If it takes no lock, it is ``unguarded``: whoever writes meanwhile is noticed afterwards.
    """

    query: str
    statements: tuple[str, ...] = ()
    unguarded: bool = False


# SQLite keeps its own locks, and would write what it cannot read otherwise.
_ORDINARY = Way("mode=ro")
# Somebody has it open, or had when it crashed. SQLite reads the log as it is: of a writer's shared
# memory if there is one, and of its own where nobody is at work.
_SHARED = Way("mode=ro&readonly_shm=1")
# Nothing waits in a write-ahead log. SQLite makes one, takes its locks, and removes it again.
_GUARDED = Way("mode=rw", ("PRAGMA query_only = ON",))
# The same where nothing may be made.
_ALONE = Way("mode=ro&immutable=1", unguarded=True)
# What waits in the write-ahead log is read with an index of its own, in memory.
_WITH_LOG = Way("mode=ro&vfs=unix-none", ("PRAGMA locking_mode = EXCLUSIVE",), unguarded=True)


@contextmanager
def opened(place: Place) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there, at one moment; it cannot write.

    Raises `StoreError`, also where the file was written meanwhile without anybody noticing.
    """
    assert place.path is not None
    # SQLite keeps its files beside the file that a symbolic link leads to.
    path = Path(os.path.realpath(place.path))
    patience = lock_timeout_setting()
    try:
        connection, way, seen = _open(place, path, patience)
    except sqlite3.Error as error:
        raise error_in_use(error, place, _waited(patience)) from error
    written = f"{place} was written to while it was read: ask again"
    try:
        yield connection
    except sqlite3.Error as error:
        if way.unguarded and _differ(seen, _look(path)):
            raise StoreError(written) from error
        raise
    finally:
        connection.close()
    if way.unguarded and _differ(seen, _look(path)):
        raise StoreError(written)


def _open(place: Place, path: Path, patience: float) -> tuple[sqlite3.Connection, Way, Files]:
    deadline = monotonic() + patience
    for attempt in count():
        seen = _look(path)
        # Who writes now and then makes and removes what lies beside it: what is seen while that
        # goes on is soon otherwise, and can be opened with locks.
        wait = attempt < _LOOKS and place.can_be_written and _is_fresh(seen)
        wrong: sqlite3.Error | None = None
        for way in _ways(path, seen, place.can_be_written):
            if wait and way not in (_SHARED, _GUARDED):
                break
            try:
                connection = _connected(f"{path.as_uri()}?{way.query}", way, patience)
            except sqlite3.OperationalError as error:
                wrong = error
                if _is_locked(error, place) or _look(path) != seen:
                    break
            else:
                if not (way.unguarded and _differ(seen, _look(path))):
                    return connection, way, seen
                connection.close()
                break
        is_over = monotonic() > deadline
        if wrong is not None and (is_over or (not wait and _look(path) == seen)):
            raise wrong
        if is_over:
            break
        sleep(_LOOK_AGAIN)
    raise StoreLocked(f"{place} was written to all the time, {_waited(patience)}")


def _ways(path: Path, seen: Files, can_be_written: bool) -> Iterator[Way]:
    """The ways to open a file, the best one first."""
    if seen.journal is not None and seen.journal[1]:
        yield _ORDINARY
        return
    if seen.wal is not None and seen.shm is not None:
        yield _SHARED
    if seen.wal is not None and seen.wal[1]:
        commits = holds_a_commit(beside(path, "wal"))
        may_go = os.access(path.parent, os.W_OK)
        if commits is False:
            yield _ALONE
        elif commits or not may_go:
            yield _WITH_LOG
        if commits is not False and may_go:
            yield _ORDINARY
        return
    if can_be_written and seen.wal is None and seen.shm is None:
        yield _GUARDED
    yield _ALONE


def beside(path: Path, what: str) -> Path:
    """The path of a file that SQLite keeps beside another: ``wal``, ``shm`` or ``journal``."""
    return path.with_name(f"{path.name}-{what}")


def _look(path: Path) -> Files:
    return Files(_stamp(path), *(_stamp(beside(path, what)) for what in ("wal", "shm", "journal")))


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _waited(patience: float) -> str:
    return f"waited {patience:g} s for it ({LOCK_TIMEOUT})"


def _is_fresh(seen: Files) -> bool:
    stamps = [stamp for stamp in (seen.database, seen.wal) if stamp is not None]
    return any(abs(now_ns() - stamp[2]) < _FRESH for stamp in stamps)


def _differ(one: Files, other: Files) -> bool:
    return (one.database, one.wal) != (other.database, other.wal)


def _is_locked(error: sqlite3.OperationalError, place: Place) -> bool:
    return isinstance(store_error(error, place), StoreLocked)


def _connected(uri: str, way: Way, patience: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, timeout=patience, isolation_level=None, check_same_thread=False
    )
    try:
        for statement in (*way.statements, "BEGIN", "PRAGMA user_version"):
            connection.execute(statement).fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
