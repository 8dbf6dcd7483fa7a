"""The questions to a log on SQLite, in SQL, asked of one consistent state of it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from serverdomain.domain.events import CommandRefused
from serverdomain.domain.history import Fact, History
from serverdomain.errors import StoreDamaged, UnknownEvent
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.codec import CODEC, PREFIX, refusals_of, server_id_of, stream_of
from serverdomain.store.log import LARGEST, Page, Reading, Row
from serverdomain.store.recorded import RecordedCommand, RecordedEvent

_OF_COMMAND = (
    "c.command_id, c.kind, c.server_id, c.members, c.user_id, c.project_id, c.roles,"
    " c.request_id, c.correlation_id, c.caused_by, c.occurred_at, c.recorded_at"
)
_EVENTS = f"SELECT e.position, e.originator_version, e.topic, e.state, {_OF_COMMAND}"
_RECORDED = f"{_EVENTS} FROM stored_events e JOIN commands c USING (command_id)"
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
_BOOKMARKS = "SELECT name, position, stopped_at, why FROM reactions"
_AT_ONCE = 2048

_decode_roles = msgspec.json.Decoder(tuple[str, ...]).decode


def any_text(text: bytes) -> str:
    """Text that need not be UTF-8, with surrogate escapes."""
    return text.decode("utf-8", "surrogateescape")


class SQLiteReading(Reading):
    """One consistent state of a log, on a connection that is in a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def log_id(self) -> str:
        """The id that the log was given when it was made."""
        with self._any_text():
            found = self._all("SELECT log_id FROM log LIMIT 2")
        if len(found) != 1:
            raise StoreDamaged("the log does not have the one id that every log is given")
        return str(found[0][0])

    def head(self) -> int:
        """The last position."""
        return self._value("SELECT MAX(position) FROM stored_events") or 0

    def first(self) -> int:
        """The first position."""
        return self._value("SELECT MIN(position) FROM stored_events") or 0

    def last(self, until: int) -> int:
        """The last position at or below another."""
        query = "SELECT MAX(position) FROM stored_events WHERE position <= ?"
        return self._value(query, min(until, LARGEST)) or 0

    def position_at(self, recorded_at: int) -> int:
        """The last position that the log had taken in at a time."""
        # Commands and events are numbered in one order; recorded_at never decreases with it.
        found = self._value(
            "SELECT e.position FROM stored_events e WHERE e.command_id <= ("
            " SELECT command_id FROM commands WHERE recorded_at <= ?"
            " ORDER BY recorded_at DESC, command_id DESC LIMIT 1"
            ") ORDER BY e.command_id DESC, e.position DESC LIMIT 1",
            recorded_at,
        )
        return found or 0

    def latest_recorded_at(self) -> int | None:
        """When the log took its latest command in."""
        found: int | None = self._value(
            "SELECT recorded_at FROM commands ORDER BY command_id DESC LIMIT 1"
        )
        return found

    def count(self, until: int = LARGEST, *, after: int = 0) -> int:
        """How many events stand behind a position and up to another."""
        query = "SELECT COUNT(*) FROM stored_events WHERE position > ? AND position <= ?"
        return int(self._value(query, after, until))

    def changed_between(self, after: int, until: int) -> list[str]:
        """The ids of the servers that have facts behind one position and up to another."""
        found = self._all(
            "SELECT DISTINCT e.originator_id FROM stored_events e"
            " JOIN commands c USING (command_id)"
            " WHERE e.position > ? AND e.position <= ? AND c.refused = 0",
            after,
            until,
        )
        return [server_id_of(stream) for (stream,) in found]

    def row_hash(self, position: int) -> str | None:
        """SHA-256, in hex, of the row at a position with its command's; ``None`` without one."""
        found = self._all(
            "SELECT e.position, e.originator_id, e.originator_version, e.topic, e.state,"
            f" {_OF_COMMAND} FROM stored_events e LEFT JOIN commands c USING (command_id)"
            " WHERE e.position = ?",
            position,
        )
        return hashlib.sha256(msgspec.json.encode(found[0])).hexdigest() if found else None

    def facts(self, after: int, limit: int, until: int = LARGEST) -> Page[Fact]:
        """The facts behind a position."""
        facts: list[Fact] = []
        last = after
        decode = CODEC.decode
        for position, stream, version, topic, state, occurred_at in self._all(
            "SELECT e.position, e.originator_id, e.originator_version, e.topic, e.state,"
            " c.occurred_at FROM stored_events e LEFT JOIN commands c USING (command_id)"
            " WHERE e.position > ? AND e.position <= ? ORDER BY e.position LIMIT ?",
            after,
            until,
            limit,
        ):
            if topic.startswith(PREFIX) and occurred_at is not None:
                try:
                    event = decode(topic, state, position)
                except UnknownEvent as unknown:
                    return Page(facts, last, unknown)
                if type(event) is not CommandRefused:
                    server_id = server_id_of(stream)
                    facts.append(Fact(occurred_at, position, server_id, version, event))
            last = position
        return Page(facts, last, None)

    def events(self, after: int, limit: int) -> Page[RecordedEvent]:
        """The events behind a position, refusals among them."""
        events: list[RecordedEvent] = []
        last = after
        for row in self._all(
            f"{_EVENTS} FROM stored_events e LEFT JOIN commands c USING (command_id)"
            " WHERE e.position > ? ORDER BY e.position LIMIT ?",
            after,
            limit,
        ):
            if row[2].startswith(PREFIX) and row[4] is not None:
                try:
                    events.append(_recorded(row))
                except UnknownEvent as unknown:
                    return Page(events, last, unknown)
            last = row[0]
        return Page(events, last, None)

    def events_named(self, after: int, limit: int, names: Sequence[str]) -> Page[RecordedEvent]:
        """Facts of these names behind a position; without names, all facts."""
        globs = [f"{PREFIX}{name}:*" for name in names]
        named = f" AND ({' OR '.join(['e.topic GLOB ?'] * len(globs))})" if globs else ""
        events: list[RecordedEvent] = []
        for row in self._all(
            f"{_RECORDED} WHERE e.position > ? AND c.refused = 0{named}"
            " ORDER BY e.position LIMIT ?",
            after,
            *globs,
            limit,
        ):
            try:
                events.append(_recorded(row))
            except UnknownEvent as unknown:
                return Page(events, unknown.position - 1, unknown)
        last = events[-1].position if len(events) == limit else max(after, self.head())
        return Page(events, last, None)

    def events_at(self, positions: Sequence[int]) -> list[RecordedEvent]:
        """The events that stand at these positions."""
        return self._recorded(
            f"{_RECORDED} WHERE e.position IN (SELECT value FROM json_each(?)) ORDER BY e.position",
            msgspec.json.encode(positions).decode(),
        )

    def history(
        self,
        server_id: str,
        *,
        version: int = LARGEST,
        position: int = LARGEST,
        recorded_at: int = LARGEST,
        occurred_at: int = LARGEST,
    ) -> History:
        """A server's facts, of those within all these bounds."""
        # The pluses keep these conditions away from other indexes: the stream's own is the way.
        rows = self._all(
            "SELECT c.occurred_at, e.position, e.topic, e.state, e.originator_version"
            " FROM stored_events e JOIN commands c USING (command_id)"
            " WHERE e.originator_id = ? AND e.originator_version <= ? AND +e.position <= ?"
            " AND +c.recorded_at <= ? AND +c.occurred_at <= ? ORDER BY e.originator_version",
            stream_of(server_id),
            version,
            position,
            recorded_at,
            occurred_at,
        )
        events = CODEC.decode_all([(row[2], row[3], row[1]) for row in rows])
        return History(
            [
                Fact(row[0], row[1], server_id, row[4], event)
                for row, event in zip(rows, events, strict=True)
            ]
        )

    def recorded(
        self, server_id: str, position: int = LARGEST, *, with_refusals: bool = False
    ) -> list[RecordedEvent]:
        """A server's events up to a position, in order of occurrence."""
        own = stream_of(server_id)
        return self._recorded(
            f"{_RECORDED} WHERE e.originator_id IN (?, ?) AND +e.position <= ?"
            " ORDER BY c.occurred_at, e.position",
            own,
            refusals_of(server_id) if with_refusals else own,
            position,
        )

    def positions(self, server_id: str, after: int) -> list[int]:
        """The positions of a server's facts behind another, in order."""
        found = self._all(
            "SELECT position FROM stored_events WHERE originator_id = ? AND position > ?"
            " ORDER BY position",
            stream_of(server_id),
            after,
        )
        return [position for (position,) in found]

    def command(self, request_id: str) -> RecordedCommand | None:
        """The recorded command that bears a request id."""
        query = f"SELECT {_OF_COMMAND} FROM commands c WHERE c.request_id = ? AND c.refused = 0"
        found = self._all(query, request_id)
        return _command(found[0]) if found else None

    def events_of(self, command: RecordedCommand) -> list[RecordedEvent]:
        """The events of a command, in order of position."""
        query = f"{_RECORDED} WHERE e.command_id = ? ORDER BY e.position"
        return self._recorded(query, command.command_id)

    def refused_since(self, user_id: str, project_id: str, recorded_at: int) -> int:
        """How many refusals to an actor were recorded after a time."""
        query = (
            "SELECT COUNT(*) FROM commands"
            " WHERE refused = 1 AND user_id = ? AND project_id = ? AND recorded_at > ?"
        )
        return int(self._value(query, user_id, project_id, recorded_at))

    def bookmark(self, name: str) -> Bookmark | None:
        """The place of a reaction."""
        found = self._all(f"{_BOOKMARKS} WHERE name = ?", name)
        return Bookmark(*found[0]) if found else None

    def bookmarks(self) -> list[Bookmark]:
        """The places of all reactions, by name."""
        return [Bookmark(*row) for row in self._all(f"{_BOOKMARKS} ORDER BY name")]

    def rows(self) -> Iterator[list[Row]]:
        """Every event in order of position, as it is stored."""
        cursor = self.connection.execute(f"{_ROWS} ORDER BY e.position")
        done = 0
        while True:
            try:
                rows = cursor.fetchmany(_AT_ONCE)
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
                f"{_ROWS} ORDER BY e.position LIMIT -1 OFFSET ?", (done,)
            )
            while rows := cursor.fetchmany(_AT_ONCE):
                yield rows

    def row(self, position: int) -> Row | None:
        """The row at a position."""
        if abs(position) > LARGEST:
            return None
        with self._any_text():
            found = self._all(f"{_ROWS} WHERE e.position = ?", position)
        return found[0] if found else None

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

    @contextmanager
    def _any_text(self) -> Iterator[None]:
        before = self.connection.text_factory
        self.connection.text_factory = any_text
        try:
            yield
        finally:
            self.connection.text_factory = before

    def _all(self, query: str, *values: Any) -> list[Row]:
        return self.connection.execute(query, values).fetchall()

    def _value(self, query: str, *values: Any) -> Any:
        row = self.connection.execute(query, values).fetchone()
        return None if row is None else row[0]

    def _recorded(self, query: str, *values: Any) -> list[RecordedEvent]:
        return [_recorded(row) for row in self._all(query, *values)]


def _command(columns: Iterable[Any]) -> RecordedCommand:
    values = list(columns)
    try:
        values[6] = _decode_roles(values[6])
    except (msgspec.DecodeError, TypeError) as error:
        raise StoreDamaged(f"command {values[0]} has roles that cannot be read: {error}") from error
    return RecordedCommand(*values)


def _recorded(row: Row) -> RecordedEvent:
    position, version, topic, state, *columns = row
    event = CODEC.decode(topic, state, position)
    return RecordedEvent(position, version, topic, event, _command(columns))
