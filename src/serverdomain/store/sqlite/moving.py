"""A log on SQLite that moves: where it comes from, and where it goes.

What is copied so far lies in a file beside its place, ``cloud.db.copying``, which takes its place
once it is whole. One copy at a time has it: it keeps SQLite's lock.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from serverdomain.errors import InvalidInput
from serverdomain.store import durable
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.copying import Filling, Source
from serverdomain.store.log import Reading, Row
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite import schema
from serverdomain.store.sqlite.backup import require_nothing_beside
from serverdomain.store.sqlite.examination import SQLiteExamination
from serverdomain.store.sqlite.faults import store_error
from serverdomain.store.sqlite.filling import BOOKMARK, COMMAND, EVENT
from serverdomain.store.sqlite.log import SQLiteLog
from serverdomain.store.sqlite.place import Place
from serverdomain.store.sqlite.read_only_log import ReadOnlyLog


class SQLiteSource(Source):
    """The file that a log moves from."""

    def __init__(self, place: Place) -> None:
        """Raise `StoreError` where there is no log."""
        self.place = str(_file(place, "FROM"))
        self._place = place
        self._log = ReadOnlyLog(place)

    def reading(self) -> AbstractContextManager[Reading]:
        """The log as it is now."""
        return self._log.reading()

    def move_to(self, place: str) -> None:
        """Let nobody write to it any more, and say where it went."""
        log = SQLiteLog(self._place, create=False)
        try:
            with log.connections.writing() as connection:
                schema.move(connection, place)
        finally:
            log.close()

    def close(self) -> None:
        """Let nobody ask any more."""
        self._log.close()


class SQLiteFilling(Filling):
    """The file that a log moves to."""

    def __init__(self, place: Place, connection: sqlite3.Connection, part: Path) -> None:
        self.place = str(place)
        self._path = _file(place, "TO")
        self._connection = connection
        self._part = part

    @contextmanager
    def reading(self) -> Iterator[SQLiteExamination]:
        """What is there so far."""
        yield SQLiteExamination(self._connection)

    def put(self, rows: Sequence[Row]) -> None:
        """Append events with their commands."""
        with self._transaction() as connection:
            (known,) = connection.execute("SELECT MAX(command_id) FROM commands").fetchone()
            commands = {row[5]: row for row in rows if row[5] is not None and row[5] > (known or 0)}
            connection.executemany(COMMAND, ((row[5], *row[6:]) for row in commands.values()))
            connection.executemany(EVENT, (row[:6] for row in rows))

    def finish(self, bookmarks: Sequence[Bookmark]) -> None:
        """Keep the places of reactions, and give the file its name."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM reactions")
            connection.executemany(
                BOOKMARK, ((one.name, one.position, one.stopped_at, one.why) for one in bookmarks)
            )
        self._connection.close()
        durable.move_new(self._part, self._path, "TO")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise store_error(error, self._part) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


@contextmanager
def filling(place: Place, log_id: str) -> Iterator[SQLiteFilling]:
    """The file that a log of this id moves to: a new one, or what an earlier copy left.

    Raises `InvalidInput` where something is at its place, and `StoreError`.
    """
    path = _file(place, "TO")
    if os.path.lexists(path):
        raise InvalidInput("TO", f"{str(path)!r} is there already, a new file is allowed")
    require_nothing_beside(path)
    part = path.with_name(f"{path.name}.copying")
    if not places.holds(part, schema.APPLICATION_ID, "store"):
        # Whoever copies it reads it; to let others, too, is for who does.
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600))
    connection: sqlite3.Connection | None = None
    try:
        connection = Place(part).connect("rwc", 0)
        for setting in ("locking_mode = EXCLUSIVE", "journal_mode = DELETE", "synchronous = FULL"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN EXCLUSIVE")
        if schema.version(connection, part) == 0:
            schema.bring_up(connection, part, log_id)
        connection.execute("COMMIT")
        yield SQLiteFilling(place, connection, part)
    except sqlite3.Error as error:
        raise store_error(error, part) from error
    finally:
        if connection is not None:
            connection.close()


def _file(place: Place, field: str) -> Path:
    if place.path is None:
        raise InvalidInput(field, "memory: came, a file or a database is allowed")
    return place.path
