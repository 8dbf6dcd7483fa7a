"""A log in PostgreSQL that moves: where it comes from, and where it goes.

Its row in ``head`` says so in both places: that it went elsewhere, or that it is half a copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import psycopg

from serverdomain.errors import InvalidInput, StoreDamaged, StoreLocked, StoreMissing, StoreReadOnly
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.copying import Filling, Source
from serverdomain.store.log import Reading, Row
from serverdomain.store.postgresql import making, numbered
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.connection import Watched, connect
from serverdomain.store.postgresql.examination import PostgreSQLExamination
from serverdomain.store.postgresql.faults import store_error
from serverdomain.store.postgresql.log import PostgreSQLLog

_NUMBERS = "SELECT position, command_id FROM {schema}.head"
_MOVE = "UPDATE {schema}.head SET moved_to = %s WHERE moved_to IS NULL"
_BOOKMARK = "INSERT INTO {schema}.reactions VALUES (%s, %s, %s, %s)"
_FINISH = "UPDATE {schema}.head SET copied_from = NULL"


class PostgreSQLSource(Source):
    """The schema that a log moves from."""

    def __init__(self, address: Address) -> None:
        """Raise `StoreError` where there is no log."""
        self.place = str(address)
        self._address = address
        # Where it is written: a replica may lack what was written last.
        self._log = PostgreSQLLog(address)

    def reading(self) -> AbstractContextManager[Reading]:
        """The log as it is now."""
        return self._log.reading()

    def move_to(self, place: str) -> None:
        """Let nobody write to it any more, and say where it went."""
        with self._log.connections.errors(), connect(self._address) as connection:
            moved = connection.execute(in_schema(_MOVE, self._address.schema), (place,))
            if moved.rowcount != 1:
                raise StoreReadOnly(f"{self.place} went elsewhere meanwhile")

    def close(self) -> None:
        """Give the connections back."""
        self._log.close()


class PostgreSQLFilling(Filling):
    """The schema that a log moves to."""

    def __init__(self, address: Address, connection: Watched) -> None:
        self.place = str(address)
        self._schema = address.schema
        self._connection = connection

    @contextmanager
    def reading(self) -> Iterator[PostgreSQLExamination]:
        """What is there so far."""
        yield PostgreSQLExamination(self._connection, self._schema)

    def put(self, rows: Sequence[Row]) -> None:
        """Append events with their commands."""
        position, command_id = self._connection.execute(self._asked(_NUMBERS)).fetchone() or (0, 0)
        self._require_kept(rows, position)
        put = numbered.put
        if put(self._connection, self._schema, rows, command_id, in_copy_behind=position) is None:
            raise StoreLocked(f"{self.place} is being copied to by another process")

    def finish(self, bookmarks: Sequence[Bookmark]) -> None:
        """Keep the places of reactions, and let it be opened."""
        with self._connection.transaction():
            for one in bookmarks:
                kept = (one.name, one.position, one.stopped_at, one.why)
                self._connection.execute(self._asked(_BOOKMARK), kept)
            self._connection.execute(self._asked(_FINISH))

    def _asked(self, query: str) -> str:
        return in_schema(query, self._schema)

    def _require_kept(self, rows: Sequence[Row], position: int) -> None:
        """Raise `StoreDamaged` or `InvalidInput` for what a schema cannot keep as it is."""
        for expected, row in enumerate(rows, position + 1):
            if row[0] != expected:
                raise StoreDamaged(f"position {expected} is missing: a log has no gaps")
            if (row[5] is None) != isinstance(row[4], bytes):
                raise StoreDamaged(f"position {expected} holds a state of another form than usual")
            for column in (value for value in row if isinstance(value, str)):
                if "\0" in column:
                    raise InvalidInput(
                        "FROM", f"position {expected} holds a NUL, which PostgreSQL does not keep"
                    )


@contextmanager
def filling(address: Address, log_id: str, source: str) -> Iterator[PostgreSQLFilling]:
    """The schema that a log of this id moves to: a new one, or what an earlier copy left.

    Raises `InvalidInput` where a log is there, and `StoreError`.
    """
    making.init(address, copy=making.Copy(log_id, source))
    try:
        with connect(address) as connection:
            heads = connection.execute(
                in_schema("SELECT copied_from FROM {schema}.head", address.schema)
            ).fetchall()
            if heads == [(None,)]:
                raise InvalidInput("TO", f"{address} holds a log, another schema is allowed")
            if len(heads) != 1:
                raise StoreMissing(f"{address} has lost its row in head")
            yield PostgreSQLFilling(address, connection)
    except psycopg.Error as error:
        raise store_error(error, address) from error
