"""How batches come into a log in PostgreSQL: decided and then sent, or much in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psycopg

from serverdomain.store.log import CommitFailed, Log, Overtaken, Row, Unanswered
from serverdomain.store.postgresql.bulk import Bulk
from serverdomain.store.postgresql.connection import Watched
from serverdomain.store.postgresql.connections import Connections
from serverdomain.store.postgresql.deciding import Deciding
from serverdomain.store.postgresql.ending import (
    HEAD,
    HEAD_AND_TIP,
    End,
    LastWritten,
    end_of,
    require_here,
    require_one,
)
from serverdomain.store.postgresql.faults import is_lost, store_error
from serverdomain.store.postgresql.sent import Sent
from serverdomain.store.remembered import Remembered

_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"


class Batches:
    """What is written by one process, a batch at a time."""

    def __init__(self, log: Log, connections: Connections, remembered: Remembered) -> None:
        self._log = log
        self._connections = connections
        self._address = connections.address
        self._remembered = remembered
        self._last_written = LastWritten()

    @contextmanager
    def writing(self) -> Iterator[Deciding]:
        """Decide, then write by one statement."""
        known = self._known()
        with self._deciding(None if known else HEAD_AND_TIP) as (connection, rows):
            end = known or end_of(rows, self._address)
            if known is None:
                self._last_written.found(end)
            log = Deciding(
                connection,
                self._address.schema,
                self._log,
                self._remembered,
                end,
                is_known=known is not None,
            )
            yield log
            self._last_written.wrote(self._written(log))

    def _known(self) -> End | None:
        known = self._last_written.known()
        return known if known is not None and self._remembered.is_at(known.tip) else None

    def _written(self, log: Deciding) -> End | None:
        try:
            return log.write()
        except CommitFailed as error:
            sent = log.sent
            assert sent is not None
            raise Unanswered(str(error), log, partial(self._is_written, sent)) from error

    def _is_written(self, sent: Sent) -> bool:
        with self._deciding(HEAD) as (connection, _):
            return sent.is_written(connection)

    @contextmanager
    def _deciding(self, first: str | None) -> Iterator[tuple[Watched, list[Row]]]:
        """Let that be done again whose connection goes before anything is written."""
        try:
            with self._connections.errors(), self._connections.asked(first) as asked:
                try:
                    yield asked
                except psycopg.Error as error:
                    if is_lost(error):
                        raise Overtaken(str(store_error(error, self._address))) from error
                    raise
        except BaseException:
            self._last_written.forget()
            raise

    @contextmanager
    def bulk(self) -> Iterator[Bulk]:
        """Append much in one transaction."""
        with self._connections.errors(), self._connections.begun(_WRITING) as connection:
            rows = connection.execute(self._connections.in_schema(f"{HEAD} FOR UPDATE")).fetchall()
            head = require_here(require_one(rows, self._address), self._address)
            # What is appended here may never be committed: nothing of it is remembered.
            log = Bulk(connection, self._address.schema, self._log, None, head)
            yield log
            log.flush()
            try:
                with connection.certain():
                    connection.commit()
            except psycopg.Error as error:
                if is_lost(error):
                    raise CommitFailed(str(store_error(error, self._address))) from error
                raise
