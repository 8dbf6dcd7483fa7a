"""One connection to a log in PostgreSQL: what it is warned of, and how long it waits to be told.

A network may swallow what is sent and say nothing. So an answer is waited for only so long, and a
connection on which none came is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic
from psycopg.pq.abc import PGconn
from psycopg.rows import RowFactory, tuple_row

from serverdomain.errors import StoreError
from serverdomain.store.log import CommitFailed, Row
from serverdomain.store.postgresql import making
from serverdomain.store.postgresql.address import ANSWER_SECONDS, LOWER, Address
from serverdomain.store.real_time import monotonic

_WARNING = "01000"

Value = TypeVar("Value")


class Watched(Connection[Row]):
    """A connection that keeps what it is warned of, and waits ``patience`` seconds for a byte."""

    def __init__(self, pgconn: PGconn, row_factory: RowFactory[Row] = tuple_row) -> None:
        super().__init__(pgconn, row_factory)
        self.warnings: list[str] = []
        self.patience: float = ANSWER_SECONDS
        self.add_notice_handler(self._notice)

    def wait(self, gen: PQGen[Value], *given: Any, **more: Any) -> Value:
        """Do what psycopg does; raise `psycopg.OperationalError` once no byte comes any more."""
        return super().wait(self._answered(gen), *given, **more)

    def _answered(self, gen: PQGen[Value]) -> PQGen[Value]:
        end = monotonic() + self.patience
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    end = monotonic() + self.patience
                elif monotonic() > end:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no answer came in {self.patience:g} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]

    @contextmanager
    def certain(self) -> Iterator[None]:
        """Raise `CommitFailed` where PostgreSQL warns that a commit may be lost with this server.

        It calls that a success: nobody waited for the replica, because somebody said so.
        """
        self.warnings.clear()
        yield
        if self.warnings:
            raise CommitFailed("; ".join(self.warnings))

    def _notice(self, notice: Diagnostic) -> None:
        if notice.sqlstate == _WARNING:
            self.warnings.append(notice.message_primary or "")


def connect(address: Address, *, writes: bool = True) -> Watched:
    """A connection for one purpose, outside of the pool; each statement is a transaction."""
    given = address.parameters(writes=writes)
    connection = Watched.connect(**given, autocommit=True)  # type: ignore[arg-type]
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
