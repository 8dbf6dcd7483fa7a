"""Connections to one SQLite file, or to one in memory, shared by threads.

Readers take an idle connection or open one, and never wait for the writer (WAL). Writers queue
here, and at SQLite's lock, for at most ``SERVERDOMAIN_LOCK_TIMEOUT`` seconds (30 by default).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import RLock, get_ident

from serverdomain.errors import StoreError, StoreLocked
from serverdomain.store.lock_timeout import LOCK_TIMEOUT, lock_timeout_setting
from serverdomain.store.log import CommitFailed
from serverdomain.store.real_time import monotonic, sleep
from serverdomain.store.sqlite import forks, wal_size
from serverdomain.store.sqlite.faults import error_in_use, is_read_only, store_error
from serverdomain.store.sqlite.open_connections import OpenConnections
from serverdomain.store.sqlite.opened_file import links
from serverdomain.store.sqlite.place import Place

_LOOK_AGAIN = 0.002  # Seconds between two looks at a lock that another process holds.
MOST_IDLE = 64  # Connections that are kept for the next readers.


class Connections:
    """The open connections to a database that exists; not for use in a forked child.

    If it is not ``durable`` (a cache), a power cut may lose its latest commits.
    """

    def __init__(
        self, place: Place, lock_timeout: float | None = None, *, durable: bool = True
    ) -> None:
        self.place = place
        self._timeout = lock_timeout or lock_timeout_setting()
        self._waited = f"waited {self._timeout:g} s for it ({LOCK_TIMEOUT})"
        self.open = OpenConnections(place, self._timeout, durable=durable)
        self._pid = os.getpid()
        self._closed = False
        self.transactions = self.commits = 0
        # In memory all share one connection; a thread may read while it writes.
        self._one_at_a_time = RLock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with; `StoreMissing` if the file was removed or replaced."""
        self.require_usable()
        with _InUse(self):
            if self.place.path is None:
                with self._one_at_a_time:
                    yield self.open.writer or self.open.open_writer()
                return
            self.require_there()
            try:
                connection = self.open.idle.pop()
            except IndexError:
                connection = self.open.connect("rw")
            try:
                yield connection
            finally:
                # An interrupt may have come between the end of a snapshot and its rollback.
                if self._closed or connection.in_transaction or len(self.open.idle) >= MOST_IDLE:
                    self.open.drop(connection)
                else:
                    self.open.idle.append(connection)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection that shows one state of the database, whatever is written meanwhile."""
        with self.reading() as connection:
            alone = self.place.path is None
            try:
                if not alone:
                    connection.execute("BEGIN")
                yield connection
            finally:
                if not alone and connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, seconds: float | None = None) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the database's one write lock, committed at the end.

        Raises `CommitFailed` if the commit fails or the file goes meanwhile, `StoreLocked` where
        the lock is not free within ``seconds`` (or the timeout), `StoreMissing` if the file went.
        """
        self.require_usable()
        seconds = self._timeout if seconds is None else seconds
        until = monotonic() + seconds
        with _InUse(self):
            if not self.open.writing.acquire(timeout=seconds):
                raise StoreLocked(f"{self.place} is locked by another thread, {self._waited}")
            try:
                with self._one_at_a_time:
                    yield from self._transaction(until)
            finally:
                self.open.writing.release()

    def _transaction(self, until: float) -> Iterator[sqlite3.Connection]:
        connection = self.open.writer or self.open.open_writer()
        self.transactions += 1
        try:
            self._begin(connection, until)
            self._require_writable()
            yield connection
        except BaseException as error:
            self._roll_back(connection, error)
            raise
        try:
            connection.execute("COMMIT")
            # It may have gone since it was looked at, and what was committed with it.
            self._require_writable()
        except (sqlite3.Error, StoreError) as error:
            self._roll_back(connection, error)
            raise CommitFailed(str(store_error(error, self.place))) from error
        self.commits += 1
        if self.commits % wal_size.EVERY == 0 and self.place.path is not None:
            self.open.wal_size.committed(connection, 0 if self.open.is_wal else self._timeout)

    def close(self) -> None:
        """Close every connection; those in use are closed when their reader is done."""
        self._closed = True
        if os.getpid() != self._pid:
            return  # They are the parent's: closing here could take its log file away.
        with self.open.writing, self._one_at_a_time:
            self.open.close_unused()

    def _begin(self, connection: sqlite3.Connection, until: float) -> None:
        # SQLite tries a lock ever less often, so that of many writers the one that has waited
        # longest gets it last: with eight that took 20 seconds. We try at a steady rate.
        if self.open.is_wal:
            self.once_unlocked(connection, "BEGIN IMMEDIATE", until)
            return
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            self.once_unlocked(connection, "BEGIN IMMEDIATE", until)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(self._timeout * 1000)}")

    def once_unlocked(
        self, connection: sqlite3.Connection, statement: str, until: float | None = None
    ) -> sqlite3.Cursor:
        """Run a statement once no other process holds the lock that it needs."""
        deadline = monotonic() + self._timeout if until is None else until
        while True:
            try:
                return connection.execute(statement)
            except sqlite3.OperationalError as error:
                is_locked = isinstance(store_error(error, self.place), StoreLocked)
                if not is_locked or monotonic() > deadline:
                    raise
                sleep(_LOOK_AGAIN)

    def require_there(self) -> None:
        """Raise `StoreMissing` if the file is no longer the one that was opened."""
        if (file := self.open.file) is not None and not links(file.path, file.identity):
            file.require_there()

    def _require_writable(self) -> None:
        if self.open.file is not None:
            self.open.file.require_writable()

    def _roll_back(self, connection: sqlite3.Connection, error: BaseException) -> None:
        # SQLite may have rolled back already; with a failing disk this may fail, too. One that was
        # opened while the file could not be written will never write.
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if not is_read_only(error):
                return
        self.open.drop_writer()

    def require_usable(self) -> None:
        """Raise `StoreError` if it is closed, or in a forked child."""
        if self._closed:
            raise StoreError(f"{self.place} is closed: open it anew")
        if os.getpid() != self._pid:
            raise StoreError(f"{self.place} was opened before this was forked: open it anew here")


class _InUse:
    """A use that a fork waits for; SQLite's errors, and text that is no UTF-8, are told as ours."""

    def __init__(self, of: Connections) -> None:
        self._of = of

    def __enter__(self) -> None:
        if self._of.place.path is not None:
            if not forks.fork.over.is_set():
                forks.wait()
            forks.users[self] = get_ident(), self._of.place.path

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        forks.users.pop(self, None)
        if isinstance(error, sqlite3.Error | UnicodeDecodeError):
            raise error_in_use(error, self._of.place, self._of._waited) from error
