"""The log on SQLite as it is stored, whatever somebody put there: nothing is decoded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from sys import getsizeof
from typing import Any

from serverdomain.errors import StoreDamaged
from serverdomain.store.log import LARGEST, Reading, Row
from serverdomain.store.sqlite import schema
from serverdomain.store.stored import PAGE_BYTES

# What docs/ledger-spec.md makes a leaf of.
_ROWS = (
    "SELECT e.position, e.originator_id, e.originator_version, e.topic, e.state, e.command_id,"
    " c.kind, c.server_id, c.members, c.user_id, c.project_id, c.roles, c.request_id,"
    " c.correlation_id, c.caused_by, c.occurred_at, c.recorded_at, c.refused"
    " FROM stored_events e LEFT JOIN commands c ON c.command_id = e.command_id"
)
_COMMANDS = (
    "SELECT command_id, kind, server_id, members, user_id, project_id, roles, request_id,"
    " correlation_id, caused_by, occurred_at, recorded_at, refused,"
    " (SELECT MIN(position) FROM stored_events e WHERE e.command_id = c.command_id)"
    " FROM commands c ORDER BY command_id"
)
_AT_ONCE = 2048
_FEW = 16
_MEMBERS_AT = 7
_PLACES = ("position", "command_id", "name")
"""The columns that tell which row it is."""
_SMALLEST = -LARGEST - 1
"""What SQLite keeps a whole number in ends here; only an edit can have put a position there."""


def any_text(text: bytes) -> str:
    """Text that need not be UTF-8, with surrogate escapes."""
    return text.decode("utf-8", "surrogateescape")


def _some(cursor: sqlite3.Cursor) -> list[Row]:
    """The next rows, as many as fill a page."""
    rows: list[Row] = []
    size = 0
    while len(rows) < _AT_ONCE and size < PAGE_BYTES:
        few = cursor.fetchmany(_FEW)
        rows += few
        size += sum([row[4].__sizeof__() + row[8].__sizeof__() for row in few])
        if len(few) < _FEW:
            break
    return rows


class AsStored(Reading):
    """The questions of whoever checks the log."""

    connection: sqlite3.Connection

    def log_id(self) -> str:
        """The id that the log was given when it was made."""
        with self._any_text():
            found = self.connection.execute("SELECT log_id FROM log LIMIT 2").fetchall()
        if len(found) != 1:
            raise StoreDamaged("the log does not have the one id that every log is given")
        (log_id,) = found[0]
        if not isinstance(log_id, str) or not _is_utf8(log_id):
            raise StoreDamaged(f"the log's id is {log_id!a}: somebody has made it so")
        return log_id

    def moved_to(self) -> str | None:
        """Where the log went; ``None`` for one that is here."""
        return schema.moved_to(self.connection)

    def rows(self, after: int | None = None) -> Iterator[list[Row]]:
        """Every event in order of position, as it is stored."""
        behind = "" if after is None else f" WHERE e.position > {after:d}"
        cursor = self.connection.execute(f"{_ROWS}{behind} ORDER BY e.position")
        done = 0
        while True:
            try:
                rows = _some(cursor)
            except (sqlite3.OperationalError, UnicodeDecodeError) as error:
                if getattr(error, "sqlite_errorcode", None) is not None:
                    raise
                break  # Text that is no UTF-8: that row and the others are read as bytes.
            if not rows:
                return
            done += len(rows)
            yield rows
        with self._any_text():
            cursor = self.connection.execute(
                f"{_ROWS}{behind} ORDER BY e.position LIMIT -1 OFFSET ?", (done,)
            )
            while rows := _some(cursor):
                yield rows

    def row(self, position: int) -> Row | None:
        """The row at a position."""
        if not _SMALLEST <= position <= LARGEST:
            return None
        with self._any_text():
            query = f"{_ROWS} WHERE e.position = ?"
            found: Row | None = self.connection.execute(query, (position,)).fetchone()
        return found

    def streams(self) -> Iterator[Row]:
        """Every event, as it is stored, in order of stream and version."""
        with self._any_text():
            yield from self.connection.execute(
                f"{_ROWS} ORDER BY e.originator_id, e.originator_version"
            )

    def commands(self) -> Iterator[Row]:
        """Every command in its order, as it is stored, with its first event's position."""
        with self._any_text():
            yield from self.connection.execute(_COMMANDS)

    def commands_without_events(self) -> list[Any]:
        """The ids of the commands that no event belongs to."""
        found = self.connection.execute(
            "SELECT command_id FROM commands c WHERE NOT EXISTS"
            " (SELECT 1 FROM stored_events e WHERE e.command_id = c.command_id) ORDER BY command_id"
        )
        return [command_id for (command_id,) in found]

    def _all(self, query: str, *values: Any) -> list[Row]:
        """The rows of a question. Raises `StoreDamaged` for text that is no UTF-8."""
        try:
            return self.connection.execute(query, values).fetchall()
        except (sqlite3.OperationalError, UnicodeDecodeError):
            # Outside the usual way, which every command takes: it says where the text stands.
            with self._utf8(query, values):
                raise

    def _some(self, query: str, *values: Any) -> tuple[list[Row], bool]:
        """The first rows of a question, until they hold so many bytes; whether they do.

        They begin with position, version, topic and state.
        """
        found: list[Row] = []
        size = 0
        with self._utf8(query, values), closing(self.connection.execute(query, values)) as cursor:
            while size < PAGE_BYTES and (rows := cursor.fetchmany(_FEW)):
                found += rows
                size += sum([row[3].__sizeof__() for row in rows])
                if len(rows[0]) > _MEMBERS_AT:
                    size += sum([row[_MEMBERS_AT].__sizeof__() for row in rows])
        return found, size >= PAGE_BYTES

    @contextmanager
    def _utf8(self, query: str, values: tuple[Any, ...]) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, UnicodeDecodeError) as error:
            if getattr(error, "sqlite_errorcode", None) is not None:
                raise
            raise StoreDamaged(self._where_no_utf8(query, values)) from error

    def _where_no_utf8(self, query: str, values: tuple[Any, ...]) -> str:
        with self._any_text():
            cursor = self.connection.execute(query, values)
            names = [column for column, *_ in cursor.description]
            for row in cursor:
                if any(isinstance(value, str) and not _is_utf8(value) for value in row):
                    found = dict(zip(names, row, strict=True))
                    where = [f"{name} {found[name]!a}" for name in _PLACES if name in found]
                    return f"text that is no UTF-8 stands at {', '.join(where) or 'some place'}"
        return "text that is no UTF-8 stands in the log"

    @contextmanager
    def _any_text(self) -> Iterator[None]:
        before = self.connection.text_factory
        self.connection.text_factory = any_text
        try:
            yield
        finally:
            self.connection.text_factory = before


def weight(row: Row) -> int:
    """What the state of an event weighs; with its command, also what was asked."""
    return getsizeof(row[3]) + (getsizeof(row[7]) if len(row) > 7 else 0)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
