"""The questions to a log on SQLite, in SQL, asked of one consistent state of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from serverdomain.domain.history import History
from serverdomain.domain.server import Server
from serverdomain.errors import StoreDamaged
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.codec import PREFIX, refusals_of, stream_of
from serverdomain.store.log import LARGEST
from serverdomain.store.recorded import RecordedCommand, RecordedEvent
from serverdomain.store.remembered import Remembered
from serverdomain.store.sqlite.feed import Feed
from serverdomain.store.sqlite.stored import FACTS, RECORDED
from serverdomain.store.stored import (
    OF_COMMAND,
    bookmark_of,
    command_of,
    event_of,
    fact_of,
    is_time,
)

# Of the row up to which a server is folded already, the state is not read again.
_BEHIND = (
    f"{FACTS.replace('e.state', 'CASE WHEN e.originator_version > ?2 THEN e.state END')}"
    " WHERE e.originator_id = ?1 AND e.originator_version >= ?2 AND +e.position <= ?3"
    " ORDER BY e.originator_version"
)
_IS_THERE = "SELECT 1 FROM stored_events WHERE originator_id = ? AND originator_version = ?"
LONG = 1_000  # Events of a server that are folded without a look for another beginning.
_BOOKMARKS = "SELECT name, position, stopped_at, why FROM reactions"


class SQLiteReading(Feed):
    """One consistent state of a log, on a connection that is in a transaction."""

    def __init__(
        self, connection: sqlite3.Connection, remembered: Remembered | None = None
    ) -> None:
        self.connection = connection
        self._remembered = remembered

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
        if found is not None and not is_time(found):
            raise StoreDamaged("the log's latest command has no time in recorded_at")
        return found

    def count(self, until: int = LARGEST, *, after: int = 0) -> int:
        """How many events stand behind a position and up to another."""
        query = "SELECT COUNT(*) FROM stored_events WHERE position > ? AND position <= ?"
        return int(self._value(query, after, until))

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
            f"{FACTS} WHERE e.originator_id = ? AND e.originator_version <= ?"
            " AND +e.position <= ? AND +c.recorded_at <= ? AND +c.occurred_at <= ?"
            " ORDER BY e.originator_version",
            stream_of(server_id),
            version,
            position,
            recorded_at,
            occurred_at,
        )
        return History([fact_of(server_id, row) for row in rows])

    def so_far(
        self, server_id: str, position: int = LARGEST, base: Server | None = None
    ) -> History:
        """A server's history up to a position, behind what is remembered of it."""
        if base is None and self._remembered is not None:
            base = self._remembered.base(self, server_id)
            if base is None and self.is_long(server_id):
                base = self._remembered.beginning(self, server_id)
        history = None if base is None else self._grown(server_id, position, base)
        history = history or self._grown(server_id, position, None)
        return history or self.history(server_id, position=position)  # Some fact came late.

    def is_long(self, server_id: str) -> bool:
        """Whether a server has so many events that another beginning is worth a look."""
        return self._value(_IS_THERE, stream_of(server_id), LONG) is not None

    def _grown(self, server_id: str, until: int, base: Server | None) -> History | None:
        """The history behind a base; ``None`` if that goes beyond this, or facts came late."""
        history = History(base=base)
        is_more = True
        while is_more:
            before = history.version
            rows, is_more = self._some(_BEHIND, stream_of(server_id), before, until)
            if before:
                if not rows or rows[0][1] != before:
                    return None
                del rows[0]
            if not history.take_all(fact_of(server_id, row) for row in rows):
                return None
            if is_more and history.server is not None:
                history = History(base=history.server)
        return history

    def recorded(
        self, server_id: str, until: int = LARGEST, *, after: int = 0, with_refusals: bool = False
    ) -> list[RecordedEvent]:
        """A server's events behind a position and up to another, in order of occurrence."""
        own = stream_of(server_id)
        return self._recorded(
            f"{RECORDED} WHERE e.originator_id IN (?, ?) AND +e.position > ? AND +e.position <= ?"
            " ORDER BY c.occurred_at, e.position",
            own,
            refusals_of(server_id) if with_refusals else own,
            after,
            until,
        )

    def lately(self, server_id: str, names: Sequence[str], versions: int) -> list[RecordedEvent]:
        """The facts of these names among a server's first and its last so many versions."""
        named = " OR ".join(["e.topic GLOB ?"] * len(names))
        own = stream_of(server_id)
        query = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"
        return self._recorded(
            f"{RECORDED} WHERE e.originator_id = ? AND ({named})"
            " AND (e.originator_version = 1 OR e.originator_version > ?)"
            " ORDER BY c.occurred_at, e.position",
            own,
            *(f"{PREFIX}{name}:*" for name in names),
            (self._value(query, own) or 0) - versions,
        )

    def command(self, request_id: str) -> RecordedCommand | None:
        """The recorded command that bears a request id."""
        query = f"SELECT {OF_COMMAND} FROM commands c WHERE c.request_id = ? AND c.refused = 0"
        found = self._all(query, request_id)
        return command_of(found[0]) if found else None

    def events_of(self, command: RecordedCommand) -> list[RecordedEvent]:
        """The events of a command, in order of position."""
        query = f"{RECORDED} WHERE e.command_id = ? ORDER BY e.position"
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
        return bookmark_of(found[0]) if found else None

    def bookmarks(self) -> list[Bookmark]:
        """The places of all reactions, by name."""
        return [bookmark_of(row) for row in self._all(f"{_BOOKMARKS} ORDER BY name")]

    def _recorded(self, query: str, *values: Any) -> list[RecordedEvent]:
        return [event_of(row) for row in self._all(query, *values)]

    def _value(self, query: str, *values: Any) -> Any:
        row = self.connection.execute(query, values).fetchone()
        return None if row is None else row[0]
