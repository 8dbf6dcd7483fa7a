"""Connections to a log in PostgreSQL, shared by threads.

They come from psycopg's pool, which makes them when they are needed and as they are lost. Whoever
begins on one that a restart or a failover took away is given another, until the time is over.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection
from psycopg.errors import Diagnostic
from psycopg.pq.abc import PGconn
from psycopg.rows import RowFactory, tuple_row
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from serverdomain.errors import StoreError
from serverdomain.store.lock_timeout import lock_timeout_setting
from serverdomain.store.log import Row
from serverdomain.store.postgresql import making
from serverdomain.store.postgresql.address import LOWER, Address
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.faults import is_lost, store_error

# What it warns of is told by the error of whoever waits.
logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())

MOST_CONNECTIONS = 16
"""Connections of a process to its log; who needs one more waits for one."""

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WARNING = "01000"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 1.0
"""Seconds between two tries to reach a server that is away: at first, and at last."""


class Watched(Connection[Row]):
    """A connection that keeps what it is warned of."""

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[Row] = tuple_row) -> None:
        super().__init__(pgconn, row_factory)
        self.warnings: list[str] = []
        self.add_notice_handler(self._notice)

    def _notice(self, notice: Diagnostic) -> None:
        if notice.sqlstate == _WARNING:
            self.warnings.append(notice.message_primary or "")


class Connections:
    """The connections of a process to a log that is there."""

    def __init__(self, address: Address) -> None:
        """Raise `StoreError` where there is no log that can be used."""
        self.address = address
        self.timeout = lock_timeout_setting()
        self._pid = os.getpid()
        with self.errors(), connect(address) as connection:
            making.require_there(connection, address)
        self._pool: ConnectionPool[Watched] = ConnectionPool(
            connection_class=Watched,
            kwargs={**address.parameters(), "autocommit": True},
            min_size=0,
            max_size=MOST_CONNECTIONS,
            timeout=self.timeout,
            configure=self._configure,
            open=True,
        )

    def in_schema(self, query: str) -> str:
        """A statement about the log's tables."""
        return in_schema(query, self.address.schema)

    @contextmanager
    def snapshot(self) -> Iterator[Watched]:
        """A connection that shows one state of the log and cannot write."""
        with self.errors(), self.begun(_READING) as connection:
            yield connection

    @contextmanager
    def begun(self, begin: str) -> Iterator[Watched]:
        """A connection in a transaction, committed at the end."""
        connection, _ = self._reached(begin)
        try:
            try:
                yield connection
            except BaseException:
                if not connection.closed:
                    connection.rollback()
                raise
            connection.commit()
        finally:
            self._pool.putconn(connection)

    @contextmanager
    def asked(self, query: str = "SELECT 1") -> Iterator[tuple[Watched, list[Row]]]:
        """A connection on which each statement is a transaction, and the answer to a first one."""
        connection, rows = self._reached(query)
        try:
            yield connection, rows
        finally:
            self._pool.putconn(connection)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn PostgreSQL's errors into ours."""
        try:
            yield
        except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests) as error:
            raise store_error(error, self.address) from error

    def require_usable(self) -> None:
        """Raise `StoreError` in a forked child: its connections are its parent's."""
        if os.getpid() != self._pid:
            raise StoreError(f"{self.address} was opened before a fork: open it in the child")

    def close(self) -> None:
        """Give all connections back; in a forked child they stay its parent's."""
        if os.getpid() == self._pid:
            self._pool.close()

    def _reached(self, first: str) -> tuple[Watched, list[Row]]:
        """A connection that answered a first statement; one that is lost is replaced."""
        self.require_usable()
        end = time.monotonic() + self.timeout
        pause = _FIRST_PAUSE
        while True:
            connection = self._pool.getconn(max(end - time.monotonic(), 0))
            try:
                cursor = connection.execute(first)
                return connection, [] if cursor.description is None else cursor.fetchall()
            except BaseException as error:
                self._pool.putconn(connection)
                if not is_lost(error) or time.monotonic() + pause > end:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _configure(self, connection: Watched) -> None:
        require_settings(connection, self.address)


def connect(address: Address) -> Watched:
    """A connection for one purpose, outside of the pool; each statement is a transaction."""
    connection = Watched.connect(**address.parameters(), autocommit=True)  # type: ignore[arg-type]
    try:
        making.require_utf8(connection, address)
        require_settings(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


def require_settings(connection: Watched, address: Address) -> None:
    """See that what is committed stays so, and that each statement sees what was committed.

    Raises `StoreError` where ``synchronous_commit`` is lower than the address asks for.
    """
    pid, commit, isolation = connection.execute(
        "SELECT pg_backend_pid(), current_setting('synchronous_commit'),"
        " current_setting('default_transaction_isolation')"
    ).fetchone() or (0, "", "")
    if commit in LOWER and commit != address.synchronous_commit:
        raise StoreError(
            f"{address} has synchronous_commit={commit}, with which a commit may be lost: on is "
            f"allowed, or a URL that says so (&synchronous_commit={commit})"
        )
    if pid != connection.info.backend_pid:
        # Between them a pool gives each transaction another connection: nothing stays on one.
        connection.prepare_threshold = None
    elif isolation != "read committed":
        connection.execute("SET default_transaction_isolation = 'read committed'")
