"""The same tables as `eventsourcing` knows them: its recorder, with our guards.

Any `eventsourcing` application selects it with ``PERSISTENCE_MODULE=serverdomain.store.sqlite``
(and ``SQLITE_DBNAME``, a path or ``:memory:``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from eventsourcing import persistence, sqlite
from eventsourcing.utils import Environment, EnvType

from serverdomain.errors import StoreError
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.connections import Connections
from serverdomain.store.sqlite.log import prepare
from serverdomain.store.sqlite.place import Place

# Their SELECTs name the rowid and expect bytes; ours is the position, and its JSON is text.
_AS_EXPECTED = (
    "(SELECT position AS rowid, originator_id, originator_version, topic,"
    " CAST(state AS BLOB) AS state FROM stored_events)"
)


class Datastore(sqlite.SQLiteDatastore):
    """`eventsourcing`'s idea of a database, on our connections: a file that is ours, or made so."""

    def __init__(self, connections: Connections, **settings: Any) -> None:
        self.connections = connections
        super().__init__(str(connections.place), **settings)
        try:
            prepare(connections, create=True)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[sqlite.SQLiteCursor]:
        """A cursor in a transaction; errors are `eventsourcing`'s."""
        enter = self.connections.writing if commit else self.connections.reading
        try:
            with enter() as connection, closing(connection.cursor()) as cursor:
                cursor.row_factory = sqlite3.Row
                try:
                    yield sqlite.SQLiteCursor(cursor)
                except sqlite3.Error as error:
                    theirs = getattr(
                        persistence, type(error).__name__, persistence.PersistenceError
                    )
                    raise theirs(error) from error
        except StoreError as error:
            raise persistence.OperationalError(str(error)) from error

    def close(self) -> None:
        """Close every connection."""
        self.connections.close()
        super().close()


class SQLiteRecorder(sqlite.SQLiteApplicationRecorder):
    """An `eventsourcing` application recorder over the tables of a log."""

    def __init__(
        self, datastore: sqlite.SQLiteDatastore, events_table_name: str = "stored_events"
    ) -> None:
        super().__init__(datastore, events_table_name)
        self.insert_events_statement = (
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES (?, ?, ?, ?)"
        )
        self.select_events_statement = f"SELECT * FROM {_AS_EXPECTED} WHERE originator_id=? "
        self.events_table_name = _AS_EXPECTED

    def construct_create_table_statements(self) -> list[str]:
        """Nothing: opening the database made its tables."""
        return []


class ProcessRecorder(sqlite.SQLiteProcessRecorder, SQLiteRecorder):
    """The log, for an `eventsourcing` application that follows others."""


class Factory(sqlite.SQLiteFactory):
    """What ``PERSISTENCE_MODULE`` finds here; reads the environment that `SQLiteFactory` reads."""

    aggregate_recorder_class = sqlite.SQLiteAggregateRecorder
    application_recorder_class = SQLiteRecorder
    process_recorder_class = ProcessRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        theirs = self.datastore
        name = theirs.pool.db_name
        place = (
            Place(None) if theirs.pool.is_sqlite_memory_mode else places.from_path(name, "store")
        )
        self.datastore = Datastore(
            Connections(place, theirs.pool.lock_timeout),
            single_row_tracking=theirs.single_row_tracking,
            originator_id_type=theirs.originator_id_type,
        )
