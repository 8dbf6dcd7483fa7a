"""Connections to one SQLite file, or to one in memory, shared by threads.

Readers take an idle connection or open one, and never wait for the writer (WAL). Writers of one
process queue at a lock here; writers of many processes queue at SQLite's. Both wait for
``SERVERDOMAIN_LOCK_TIMEOUT`` seconds (30 by default), which ordinary load never takes.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, RLock

from serverdomain.errors import InvalidInput, StoreError, StoreLocked, StoreMissing
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.faults import store_error
from serverdomain.store.sqlite.place import Place

LOCK_TIMEOUT = "SERVERDOMAIN_LOCK_TIMEOUT"

_LOOK_AGAIN = 0.002
"""Seconds between two looks at a lock that another process holds."""

SYNCHRONOUS = "FULL"
"""What was acknowledged is on the disk: in WAL mode NORMAL would not sync at a commit."""


def lock_timeout_setting() -> float:
    """How long a lock is waited for, in seconds."""
    given = os.environ.get(LOCK_TIMEOUT, "30")
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise InvalidInput(LOCK_TIMEOUT, f"{given!r} came, 0 to 86400 seconds are allowed")
    return seconds


class CommitFailed(StoreError):
    """A commit failed, so that nobody can tell whether it happened."""


class Connections:
    """The open connections to one database.

    ``application_id`` says whose file it is, ``what`` what people call it. Nothing is made before
    `make` is asked to; use in a forked child is refused. What is not ``durable`` (a cache)
    may lose its latest commits in a power cut, and stays sound.
    """

    def __init__(
        self,
        place: Place,
        *,
        application_id: int,
        what: str,
        lock_timeout: float | None = None,
        durable: bool = True,
    ) -> None:
        self.place = place
        self._application_id = application_id
        self._what = what
        self._timeout = lock_timeout or lock_timeout_setting()
        self._durable = durable
        self._pid = os.getpid()
        self._closed = False
        self._idle: deque[sqlite3.Connection] = deque()
        self._writer: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._writing = Lock()
        self._commits = 0
        self._watcher: sqlite3.Connection | None = None
        self._watching = Lock()
        # In memory there is one connection for all, and a thread may read while it writes.
        self._one_at_a_time = RLock()

    def exists(self) -> bool:
        """Whether the database is there; raises `StoreForeign` where something else is."""
        if self.place.path is None:
            return False
        return places.holds(self.place.path, self._application_id, self._what)

    def make(self) -> None:
        """Make an empty file, so that the database can be opened."""
        if self.place.path is None:
            return
        try:
            self._connect("rwc").close()
        except sqlite3.Error as error:
            raise store_error(error, self.place) from error

    def use_wal(self) -> None:
        """Switch to the write-ahead log. SQLite does not wait for others here, so we do."""
        if self.place.path is None:
            return
        with self.reading() as connection:
            (mode,) = self._once_unlocked(connection, "PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreError(f"{self.place} lies where SQLite cannot keep a write-ahead log")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for statements that read."""
        self._check_usable()
        if self.place.path is None:
            with self._one_at_a_time, self._translated():
                yield self._writing_connection()
            return
        with self._translated():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect("rw")
            try:
                yield connection
            finally:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection that shows the database as it was when it was first asked.

        In memory, where a thread reads while it writes, as far as it has written.
        """
        with self.reading() as connection:
            if self.place.path is None:  # Nobody else can write meanwhile.
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

        Raises `CommitFailed` where the commit itself failed, `StoreLocked` after the lock's wait,
        `StoreMissing` where the file no longer lies in its place: nobody would find what is
        written to it.
        """
        self._check_usable()
        if not self._writing.acquire(timeout=self._timeout):
            raise StoreLocked(f"{self.place} is locked by another thread, {self._waited()}")
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
                self._commits += 1
        finally:
            self._writing.release()

    def forget(self, prepare: Callable[[sqlite3.Connection], None]) -> None:
        """Throw a database in memory away, and begin with what ``prepare`` makes of none."""
        assert self.place.path is None
        self._check_usable()
        with self._writing, self._one_at_a_time, self._translated():
            fresh = self._connect("rw")
            prepare(fresh)
            if self._writer is not None:
                self._writer.close()
            self._writer = fresh
            self._commits += 1

    def mark(self) -> int | None:
        """A number that is another one once anything was committed, in whatever process.

        Reads no row and waits for nobody; ``None`` where it cannot be told at once.
        """
        self._check_usable()
        if self.place.path is None:
            return self._commits
        with self._watching:
            self._check_usable()  # It may have been closed while this waited.
            try:
                if self._watcher is None:
                    self._watcher = self._connect("rw", patience=0)
                (found,) = self._watcher.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:
                return None
        return int(found)

    def close(self) -> None:
        """Close every connection; those in use close when their reader is done."""
        self._closed = True
        if os.getpid() != self._pid:
            return  # They are the parent's: closing here could take its log file away.
        with self._writing, self._one_at_a_time, self._watching:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
            while self._idle:
                self._idle.pop().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _begin(self, connection: sqlite3.Connection) -> None:
        # SQLite waits ever longer between its looks at a lock, so that of many writers the one who
        # has waited longest gets it last; eight were seen to take 20 seconds. We look steadily.
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            self._once_unlocked(connection, "BEGIN IMMEDIATE")
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(self._timeout * 1000)}")

    def _once_unlocked(self, connection: sqlite3.Connection, statement: str) -> sqlite3.Cursor:
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
        # A cache may go at any time: `ViewFile` looks for itself, and makes it anew.
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
        self._check_usable()
        if self._writer is None:
            self._writer = self._connect("rw")
        return self._writer

    def _connect(self, mode: str, patience: float | None = None) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.place.uri(mode),
            uri=True,
            timeout=self._timeout if patience is None else patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS if self._durable else 'NORMAL'}")
            self._require_there()
        except BaseException:
            connection.close()
            raise
        return connection

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        # SQLite may have rolled back by itself; a failing disk may refuse this too.
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return
        connection.close()
        self._writer = None

    def _check_usable(self) -> None:
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
        # In a damaged file names may be no UTF-8, and the message that quotes one is not either.
        except (sqlite3.Error, UnicodeDecodeError) as error:
            ours = store_error(error, self.place)
            if isinstance(ours, StoreLocked):
                ours = StoreLocked(f"{ours}, {self._waited()}")
            if self.place.path is not None and not self.place.path.exists():
                ours = StoreMissing(f"{self.place} is gone")
            raise ours from error

    def _waited(self) -> str:
        return f"waited {self._timeout:g} s for it ({LOCK_TIMEOUT})"
