"""The log on SQLite, in a file or in memory: `eventsourcing`'s recorder with guards and commands.

Any `eventsourcing` application selects it with ``PERSISTENCE_MODULE=serverdomain.store.sqlite``
(and ``SQLITE_DBNAME``, a path or ``:memory:``); `Servers` writes and reads through the same class.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Condition, Lock
from typing import Any, TypeVar

from eventsourcing import persistence, sqlite
from eventsourcing.utils import Environment, EnvType
from filelock import FileLock, Timeout

from serverdomain.domain.events import Event
from serverdomain.errors import OutcomeUnknown, StoreError, StoreMissing
from serverdomain.store import place as places
from serverdomain.store import queries, refusals, schema
from serverdomain.store.connections import CommitFailed, Connections
from serverdomain.store.place import Place
from serverdomain.store.recorded import RecordedCommand

Outcome = TypeVar("Outcome")

# Their SELECTs name the rowid and expect bytes; ours is the position, and its JSON is text.
_AS_EXPECTED = (
    "(SELECT position AS rowid, originator_id, originator_version, topic,"
    " CAST(state AS BLOB) AS state FROM stored_events)"
)


class Datastore(sqlite.SQLiteDatastore):
    """`eventsourcing`'s idea of a database, on our connections: a file that is ours, or made so."""

    def __init__(self, connections: Connections, *, create: bool, **settings: Any) -> None:
        self.connections = connections
        super().__init__(str(connections.place), **settings)
        try:
            self._open(create)
        except BaseException:
            self.close()
            raise

    def _open(self, create: bool) -> None:
        connections = self.connections
        if connections.exists():
            with connections.reading() as connection:
                version = schema.version(connection, connections.place)
        else:
            version = 0
        if version == 0:
            if not create:
                raise StoreMissing(f"there is no store at {connections.place}")
            connections.make()
        if version < len(schema.STEPS):
            with connections.writing() as connection:
                schema.bring_up(connection, connections.place)
        connections.use_wal()

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


class SQLiteStore(sqlite.SQLiteApplicationRecorder):
    """The log: an `eventsourcing` application recorder that also keeps the commands.

    ``keeps_refusals`` says whether what a rule refuses is recorded.
    """

    keeps_refusals = True

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
        self._appended = Condition()
        self._locks: dict[str, Lock] = {}

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> SQLiteStore:
        """Open a store by its URL (see `serverdomain.store.place`)."""
        keeps_refusals = refusals.setting()
        store = cls(Datastore(_connections(places.from_url(url)), create=create))
        store.keeps_refusals = keeps_refusals
        return store

    @property
    def connections(self) -> Connections:
        """The connections to its database."""
        datastore = self.datastore
        assert isinstance(datastore, Datastore)
        return datastore.connections

    def construct_create_table_statements(self) -> list[str]:
        """Nothing: opening the database made its tables."""
        return []

    def transact(
        self, request_id: str, attempt: Callable[[sqlite3.Connection], Outcome]
    ) -> Outcome:
        """Look up, decide and write in one transaction.

        ``attempt`` gets the connection that holds the write lock; what it raises undoes it all.
        Raises `OutcomeUnknown` where the commit itself failed.
        """
        try:
            with self.connections.writing() as connection:
                outcome = attempt(connection)
        except CommitFailed as failed:
            raise OutcomeUnknown(request_id, str(failed)) from failed
        self.appended()
        return outcome

    def appended(self) -> None:
        """Wake those who wait for the log to grow, in this process."""
        with self._appended:
            self._appended.notify_all()

    def wait_past(self, position: int, seconds: float) -> None:
        """Wait until the log has grown past a position, at most so many seconds.

        What this process appends is noticed at once, what another does when the time is over.
        """
        with self._appended:
            with self.connections.reading() as connection:
                if queries.head(connection) > position:
                    return
            self._appended.wait(seconds)

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Whether the caller, of all that ask for a name, may work now; held until it ends.

        The system gives the lock up with its process.
        """
        path = self.connections.place.path
        if path is None:
            held: FileLock | Lock = self._locks.setdefault(name, Lock())
            mine = held.acquire(blocking=False)
        else:
            # Its file stays: were it taken away, two could hold locks on two files of one name.
            held = FileLock(path.with_name(f"{path.name}.{name}.lock"), thread_local=False)
            try:
                held.acquire(blocking=False)
                mine = True
            except Timeout:
                mine = False
        try:
            yield bool(mine)
        finally:
            if mine:
                held.release()

    @property
    def is_kept(self) -> bool:
        """Whether it outlives its process: in a file, not in memory."""
        return self.connections.place.path is not None

    def forget(self) -> None:
        """Throw a log in memory away, and begin an empty one."""
        place = self.connections.place

        def prepare(connection: sqlite3.Connection) -> None:
            schema.bring_up(connection, place)

        self.connections.forget(prepare)

    def append(
        self,
        connection: sqlite3.Connection,
        command: RecordedCommand,
        version: int,
        events: Sequence[Event],
    ) -> list[int]:
        """Append a command and its events behind ``version``; gives back their positions."""
        command_id = queries.insert_command(connection, command)
        name = queries.originator_id(command.server_id)
        return queries.insert_events(connection, name, version, events, command_id)

    def close(self) -> None:
        """Close the database."""
        self.datastore.close()


class ProcessRecorder(sqlite.SQLiteProcessRecorder, SQLiteStore):
    """The log, for an `eventsourcing` application that follows others."""


class Factory(sqlite.SQLiteFactory):
    """What ``PERSISTENCE_MODULE`` finds here; reads the environment that `SQLiteFactory` reads."""

    aggregate_recorder_class = sqlite.SQLiteAggregateRecorder
    application_recorder_class = SQLiteStore
    process_recorder_class = ProcessRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        theirs = self.datastore
        name = theirs.pool.db_name
        place = (
            Place(None) if theirs.pool.is_sqlite_memory_mode else places.from_path(name, "store")
        )
        self.datastore = Datastore(
            _connections(place, theirs.pool.lock_timeout),
            create=True,
            single_row_tracking=theirs.single_row_tracking,
            originator_id_type=theirs.originator_id_type,
        )


def _connections(place: Place, lock_timeout: float | None = None) -> Connections:
    return Connections(
        place, application_id=schema.APPLICATION_ID, what="store", lock_timeout=lock_timeout
    )
