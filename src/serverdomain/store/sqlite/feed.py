"""The log on SQLite in order of position: pages of it, and what tells one state from another."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Container, Sequence
from contextlib import closing

import msgspec

from serverdomain.domain.history import Fact
from serverdomain.errors import StoreDamaged, StoreError, UnknownEvent
from serverdomain.store.codec import PREFIX, refusals_of, server_id_of, stream_of
from serverdomain.store.log import LARGEST, News, Page, Tip
from serverdomain.store.recorded import RecordedCommand, RecordedEvent
from serverdomain.store.sqlite.as_stored import AsStored, weight
from serverdomain.store.sqlite.stored import EVENTS, OURS, RECORDED
from serverdomain.store.stored import (
    OF_COMMAND,
    PAGE_BYTES,
    event_of,
    events_of,
    facts_of,
    news_of,
)

TIP = (
    "e.position, CAST(e.originator_id AS BLOB), e.originator_version, e.command_id,"
    " CAST(c.request_id AS BLOB), c.recorded_at"
    " FROM stored_events e LEFT JOIN commands c USING (command_id) WHERE e.position <= ?"
)
"""The columns of a `Tip`, and where they are."""

_NEWS = (
    "SELECT e.position, e.originator_version, e.topic, e.state, e.originator_id, c.occurred_at"
    " FROM stored_events e JOIN commands c USING (command_id)"
    " WHERE e.position > ? AND c.refused = 0 ORDER BY e.position"
)

_FACTS = (
    "SELECT e.position, e.originator_version, e.topic, e.state, e.originator_id, c.occurred_at"
    " FROM stored_events e LEFT JOIN commands c USING (command_id)"
    " WHERE e.position > ? AND e.position <= ? ORDER BY e.position LIMIT ?"
)
# The pluses keep these conditions away from other indexes: the stream's own is the way.
_ORDER = (
    f"SELECT e.position, LENGTH(e.state) + COALESCE(LENGTH(c.members), 0) {OURS}"
    " WHERE e.originator_id IN (?, ?) AND +e.position > ? AND +e.position <= ?"
    " ORDER BY c.occurred_at, e.position"
)
_FIRSTS = (
    "SELECT command_id, MIN(position) FROM stored_events"
    " WHERE command_id IN (SELECT value FROM json_each(?)) GROUP BY command_id"
)


class Feed(AsStored):
    """The questions of whoever follows the log."""

    def head(self) -> int:
        """The last position."""
        (position,) = self.connection.execute("SELECT MAX(position) FROM stored_events").fetchone()
        return position or 0

    def tip(self, until: int = LARGEST) -> Tip:
        """The last row, or the last at or below a position."""
        row = self.connection.execute(f"SELECT {TIP} ORDER BY e.position DESC LIMIT 1", (until,))
        return Tip(*(row.fetchone() or ()))

    def news(self, after: int, of: Container[str]) -> list[News] | None:
        """What was appended to some servers behind a position."""
        try:
            rows, is_more = self._some(_NEWS, after)
        except StoreDamaged:
            return None
        if is_more:
            return None
        return news_of(rows, of)

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
            f" {OF_COMMAND} FROM stored_events e LEFT JOIN commands c USING (command_id)"
            " WHERE e.position = ?",
            position,
        )
        return hashlib.sha256(msgspec.json.encode(found[0])).hexdigest() if found else None

    def facts(self, after: int, limit: int, until: int = LARGEST) -> Page[Fact]:
        """The facts behind a position."""
        values = (after, until, limit)
        with self._utf8(_FACTS, values), closing(self.connection.execute(_FACTS, values)) as rows:
            return facts_of(rows, after)

    def events(self, after: int, limit: int) -> Page[RecordedEvent]:
        """The events behind a position, refusals among them."""
        rows, _ = self._some(
            f"{EVENTS} FROM stored_events e LEFT JOIN commands c USING (command_id)"
            " WHERE e.position > ? ORDER BY e.position LIMIT ?",
            after,
            limit,
        )
        return events_of(rows, after)

    def events_named(self, after: int, limit: int, names: Sequence[str]) -> Page[RecordedEvent]:
        """Facts of these names behind a position; without names, all facts."""
        globs = [f"{PREFIX}{name}:*" for name in names]
        named = f" AND ({' OR '.join(['e.topic GLOB ?'] * len(globs))})" if globs else ""
        found = f"{OURS} WHERE e.position > ? AND c.refused = 0{named} ORDER BY e.position LIMIT ?"
        values = (after, *globs, limit)
        events: list[RecordedEvent] = []
        size = 0
        try:
            with closing(self.connection.execute(f"{EVENTS} {found}", values)) as rows:
                for row in rows:
                    events.append(event_of(row))
                    size += weight(row)
                    if size >= PAGE_BYTES:
                        break
        except (UnknownEvent, StoreDamaged) as error:
            stopped_by: StoreError = error
        except (sqlite3.OperationalError, UnicodeDecodeError) as error:
            if getattr(error, "sqlite_errorcode", None) is not None:
                raise
            stopped_by = StoreDamaged("an event or its command holds text that is no UTF-8")
        else:
            is_full = len(events) == limit or size >= PAGE_BYTES
            return Page(events, events[-1].position if is_full else max(after, self.head()), None)
        query = f"SELECT e.position {found} OFFSET ?"
        (position,) = self.connection.execute(query, (*values, len(events))).fetchone()
        return Page(events, position - 1, stopped_by)

    def events_at(self, positions: Sequence[int]) -> list[RecordedEvent]:
        """The events that stand at these positions."""
        found = self._all(
            f"{RECORDED} WHERE e.position IN (SELECT value FROM json_each(?)) ORDER BY e.position",
            msgspec.json.encode(positions).decode(),
        )
        return [event_of(row) for row in found]

    def events_of(self, command: RecordedCommand) -> list[RecordedEvent]:
        """The events of a command, in order of position."""
        query = f"{RECORDED} WHERE e.command_id = ? ORDER BY e.position"
        return [event_of(row) for row in self._all(query, command.command_id)]

    def order(
        self, server_id: str, until: int = LARGEST, *, after: int = 0, with_refusals: bool = False
    ) -> list[tuple[int, int]]:
        """The positions of a server's events in order of occurrence, each with its size."""
        own = stream_of(server_id)
        other = refusals_of(server_id) if with_refusals else own
        return self._all(_ORDER, own, other, after, until)

    def first_positions(self, commands: Collection[RecordedCommand]) -> dict[int, int]:
        """The position of each command's first event."""
        ids = msgspec.json.encode([one.command_id for one in commands]).decode()
        return dict(self._all(_FIRSTS, ids))
