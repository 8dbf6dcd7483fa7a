"""The questions to a log in PostgreSQL, in SQL, asked of one consistent state of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.codec import refusals_of, stream_of
from serverdomain.store.log import LARGEST, Row
from serverdomain.store.postgresql.feed import RECORDED
from serverdomain.store.postgresql.histories import Histories
from serverdomain.store.recorded import RecordedCommand, RecordedEvent
from serverdomain.store.remembered import Remembered
from serverdomain.store.stored import OF_COMMAND, bookmark_of, command_of, event_of

VERSION = "SELECT MAX(originator_version) FROM {schema}.stored_events WHERE originator_id = %s"
_BOOKMARKS = "SELECT name, position, stopped_at, why FROM {schema}.reactions"


class PostgreSQLReading(Histories):
    """One consistent state of a log, on a connection that is in a transaction."""

    def __init__(
        self, connection: Connection[Row], schema: str, remembered: Remembered | None = None
    ) -> None:
        self.connection = connection
        self.schema = schema
        self._remembered = remembered

    def first(self) -> int:
        """The first position."""
        return self._value("SELECT MIN(position) FROM {schema}.stored_events") or 0

    def last(self, until: int) -> int:
        """The last position at or below another."""
        query = "SELECT MAX(position) FROM {schema}.stored_events WHERE position <= %s"
        return self._value(query, min(until, LARGEST)) or 0

    def position_at(self, recorded_at: int) -> int:
        """The last position that the log had taken in at a time."""
        # Commands and events are numbered in one order; recorded_at never decreases with it.
        found = self._value(
            "SELECT position FROM {schema}.stored_events WHERE command_id <= ("
            " SELECT command_id FROM {schema}.commands WHERE recorded_at <= %s"
            " ORDER BY recorded_at DESC, command_id DESC LIMIT 1"
            ") ORDER BY command_id DESC, position DESC LIMIT 1",
            recorded_at,
        )
        return found or 0

    def latest_recorded_at(self) -> int | None:
        """When the log took its latest command in."""
        found: int | None = self._value(
            "SELECT recorded_at FROM {schema}.commands ORDER BY command_id DESC LIMIT 1"
        )
        return found

    def count(self, until: int = LARGEST, *, after: int = 0) -> int:
        """How many events stand behind a position and up to another."""
        query = "SELECT COUNT(*) FROM {schema}.stored_events WHERE position > %s AND position <= %s"
        return int(self._value(query, after, until))

    def recorded(
        self, server_id: str, until: int = LARGEST, *, after: int = 0, with_refusals: bool = False
    ) -> list[RecordedEvent]:
        """A server's events behind a position and up to another, in order of occurrence."""
        streams = [stream_of(server_id), *([refusals_of(server_id)] if with_refusals else [])]
        return self._recorded(
            f"{RECORDED} WHERE e.originator_id = ANY(%s) AND e.position > %s AND e.position <= %s"
            " ORDER BY c.occurred_at, e.position",
            streams,
            after,
            until,
        )

    def lately(self, server_id: str, names: Sequence[str], versions: int) -> list[RecordedEvent]:
        """The facts of these names among a server's first and its last so many versions."""
        stream = stream_of(server_id)
        return self._recorded(
            f"{RECORDED} WHERE e.originator_id = %s AND split_part(e.topic, ':', 2) = ANY(%s)"
            " AND (e.originator_version = 1 OR e.originator_version > %s)"
            " ORDER BY c.occurred_at, e.position",
            stream,
            list(names),
            (self._value(VERSION, stream) or 0) - versions,
        )

    def command(self, request_id: str) -> RecordedCommand | None:
        """The recorded command that bears a request id."""
        query = f"SELECT {OF_COMMAND} FROM {{schema}}.commands c"
        found = self._all(f"{query} WHERE c.request_id = %s AND c.refused = 0", request_id)
        return command_of(found[0]) if found else None

    def events_of(self, command: RecordedCommand) -> list[RecordedEvent]:
        """The events of a command, in order of position."""
        query = f"{RECORDED} WHERE e.command_id = %s ORDER BY e.position"
        return self._recorded(query, command.command_id)

    def refused_since(self, user_id: str, project_id: str, recorded_at: int) -> int:
        """How many refusals to an actor were recorded after a time."""
        query = (
            "SELECT COUNT(*) FROM {schema}.commands"
            " WHERE refused = 1 AND user_id = %s AND project_id = %s AND recorded_at > %s"
        )
        return int(self._value(query, user_id, project_id, recorded_at))

    def bookmark(self, name: str) -> Bookmark | None:
        """The place of a reaction."""
        found = self._all(f"{_BOOKMARKS} WHERE name = %s", name)
        return bookmark_of(found[0]) if found else None

    def bookmarks(self) -> list[Bookmark]:
        """The places of all reactions, by name."""
        return [bookmark_of(row) for row in self._all(f"{_BOOKMARKS} ORDER BY name")]

    def moved_to(self) -> str | None:
        """Where the log went; ``None`` for one that is here."""
        found: str | None = self._value("SELECT moved_to FROM {schema}.head")
        return found

    def _recorded(self, query: str, *values: Any) -> list[RecordedEvent]:
        return [event_of(row) for row in self._all(query, *values)]
