"""Connections to one SQLite file, or to one in memory, shared by threads.

Readers take an idle connection or open one, and never wait for the writer (WAL). Writers queue
here, and those of several processes at SQLite's lock, for at most ``SERVERDOMAIN_LOCK_TIMEOUT``
seconds (30 by default), which ordinary load never takes.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, RLock

from serverdomain.errors import StoreError, StoreLocked, StoreMissing
from serverdomain.store.sqlite.faults import CommitFailed, error_in_use, store_error
from serverdomain.store.sqlite.lock_timeout import LOCK_TIMEOUT, lock_timeout_setting
from serverdomain.store.sqlite.place import Place

_LOOK_AGAIN = 0.002  # Seconds between two looks at a lock that another process holds.
MOST_IDLE = 64
"""The most connections that are kept for the next readers."""
SYNCHRONOUS = "FULL"  # In WAL mode NORMAL would not sync at a commit.


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
        self._durable = durable
        self._pid = os.getpid()
        self._closed = False
        self._idle: deque[sqlite3.Connection] = deque()
        self._writer: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._writing = Lock()
        self.commits = 0
        # In memory all share one connection, and a thread may read while it writes.
        self._one_at_a_time = RLock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for statements that read."""
        self.require_usable()
        with self._translated():
            if self.place.path is None:
                with self._one_at_a_time:
                    yield self._writing_connection()
                return
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self.connect("rw")
            try:
                yield connection
            finally:
                if self._closed or len(self._idle) >= MOST_IDLE:
                    connection.close()
                else:
                    self._idle.append(connection)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection that shows one state of the database, whatever is written meanwhile."""
        with self.reading() as connection:
            if self.place.path is None:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the database's one write lock, committed at the end.

        Raises `CommitFailed` if the commit itself fails, `StoreLocked` after waiting for the lock,
        `StoreMissing` if the file was removed: nobody would find what is written to it.
        """
        self.require_usable()
        if not self._writing.acquire(timeout=self._timeout):
            raise StoreLocked(f"{self.place} is locked by another thread, {self._waited}")
        try:
            with self._one_at_a_time, self._translated():
                connection = self._writing_connection()
                self._begin(connection)
                try:
                    self._require_there()
                    yield connection
                except BaseException:
                    self._roll_back(connection)
                    raise
                try:
                    connection.execute("COMMIT")
                except sqlite3.Error as error:
                    self._roll_back(connection)
                    raise CommitFailed(str(store_error(error, self.place))) from error
                self.commits += 1
        finally:
            self._writing.release()

    def close(self) -> None:
        """Close every connection; those in use are closed when their reader is done."""
        self._closed = True
        if os.getpid() != self._pid:
            return  # They are the parent's: closing here could take its log file away.
        with self._writing, self._one_at_a_time:
            for connection in filter(None, (*self._idle, self._writer)):
                connection.close()

    def _begin(self, connection: sqlite3.Connection) -> None:
        # SQLite tries a lock ever less often, so that of many writers the one that has waited
        # longest gets it last: with eight that took 20 seconds. We try at a steady rate.
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            self.once_unlocked(connection, "BEGIN IMMEDIATE")
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(self._timeout * 1000)}")

    def once_unlocked(self, connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
        """Run a statement once no other process holds the lock that it needs."""
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return connection.execute(statement)
            except sqlite3.OperationalError as error:
                is_locked = isinstance(store_error(error, self.place), StoreLocked)
                if not is_locked or time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_AGAIN)

    def _require_there(self) -> None:
        # A cache may be removed at any time: `ViewFile` checks that itself.
        if self.place.path is None or not self._durable:
            return
        try:
            found = self.place.path.stat()
        except OSError as error:
            raise StoreMissing(f"{self.place} is gone: {error.strerror}") from None
        identity = found.st_dev, found.st_ino
        if self._identity not in (None, identity):
            raise StoreMissing(f"{self.place} is not the file that was opened: open it anew")
        self._identity = identity

    def _writing_connection(self) -> sqlite3.Connection:
        self.require_usable()
        if self._writer is None:
            self._writer = self.connect("rw")
        return self._writer

    def connect(self, mode: str, patience: float | None = None) -> sqlite3.Connection:
        """Open a further connection (``mode`` as in `Place.connect`); the caller closes it."""
        connection = self.place.connect(mode, self._timeout if patience is None else patience)
        try:
            connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS if self._durable else 'NORMAL'}")
            self._require_there()
        except BaseException:
            connection.close()
            raise
        return connection

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        # SQLite may have rolled back already; with a failing disk this may fail, too.
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return
        connection.close()
        self._writer = None

    def require_usable(self) -> None:
        """Raise `StoreError` if it is closed, or in a forked child."""
        if self._closed:
            raise StoreError(f"{self.place} is closed: open it anew")
        if os.getpid() != self._pid:
            raise StoreError(
                f"{self.place} was opened before this process was forked: open it anew here"
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        # In a damaged file a name may not be UTF-8; nor is a message that quotes it.
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise error_in_use(error, self.place, self._waited) from error
