"""Connections to a log in PostgreSQL, shared by threads.

They come from psycopg's pool, which makes them when they are needed and as they are lost. Whoever
begins on one that a restart or a failover took away is given another, until the time is over.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from serverdomain.errors import StoreError
from serverdomain.store.lock_timeout import lock_timeout_setting
from serverdomain.store.log import Row
from serverdomain.store.postgresql import making
from serverdomain.store.postgresql.address import ANSWER_SECONDS, Address
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.connection import Watched, connect, require_settings
from serverdomain.store.postgresql.faults import is_lost, store_error
from serverdomain.store.real_time import monotonic

# What it warns of is told by the error of whoever waits.
logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())

MOST_CONNECTIONS = 16
"""Connections of a process to its log; who needs one more waits for one."""

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
"""Seconds between two tries to reach a server that is away: at first, and at last."""

_READS_LONGER = 10
"""How many times as long a question may take as a lock: it may have to read the whole log."""


class Connections:
    """The connections of a process to a log that is there."""

    def __init__(self, address: Address, *, writes: bool = True) -> None:
        """Raise `StoreError` where there is no log that can be used, and written if that is meant.

        Of several servers one that is written is taken then.
        """
        self.address = address
        self.timeout = lock_timeout_setting()
        self._writes = writes
        self._pid = os.getpid()
        self._away = Event()
        with self.errors(), connect(address, writes=writes) as connection:
            making.require_there(connection, address)
        self._pool: ConnectionPool[Watched] = ConnectionPool(
            connection_class=Watched,
            kwargs={**address.parameters(writes=writes), "autocommit": True},
            min_size=0,
            max_size=MOST_CONNECTIONS,
            # Its own pauses double without an end: whoever waits asks again instead.
            reconnect_timeout=0,
            reconnect_failed=lambda _: self._away.set(),
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
            connection.patience = _READS_LONGER * self.timeout
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
    def asked(self, query: str | None = "SELECT 1") -> Iterator[tuple[Watched, list[Row]]]:
        """A connection on which each statement is a transaction, and the answer to a first one.

        Without one it is not known whether the connection still leads anywhere.
        """
        connection, rows = self._reached(query and self.in_schema(query))
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

    def _reached(self, first: str | None) -> tuple[Watched, list[Row]]:
        """A connection that answered a first statement; one that is lost is replaced."""
        self.require_usable()
        end = monotonic() + self.timeout
        while True:
            connection = self._taken(end)
            if first is None:
                connection.patience = self.timeout
                return connection, []
            connection.patience = min(ANSWER_SECONDS, self.timeout)
            try:
                cursor = connection.execute(first)
                rows = [] if cursor.description is None else cursor.fetchall()
            except BaseException as error:
                self._pool.putconn(connection)
                if not is_lost(error) or monotonic() > end:
                    raise
                # What took this one away took the others that lie idle.
                self._pool.drain()
            else:
                connection.patience = self.timeout
                return connection, rows

    def _taken(self, end: float) -> Watched:
        """A connection of the pool, which is asked again as long as the server is away."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return self._pool.getconn(max(min(pause, end - monotonic()), 0.001))
            except PoolTimeout:
                if monotonic() < end:
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    continue
                if self._away.is_set():
                    # The pool does not say why it gave none.
                    connect(self.address, writes=self._writes).close()
                raise

    def _configure(self, connection: Watched) -> None:
        require_settings(connection, self.address)
        self._away.clear()
