"""The log on SQLite in order of position: pages of it, and what tells one state from another."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Container, Sequence
from contextlib import closing

import msgspec

from serverdomain.domain.events import CommandRefused
from serverdomain.domain.history import Fact
from serverdomain.domain.moment import EARLIEST, LATEST
from serverdomain.errors import StoreDamaged, StoreError, UnknownEvent
from serverdomain.store.codec import CODEC, PREFIX, server_id_of
from serverdomain.store.log import LARGEST, News, Page, Tip
from serverdomain.store.recorded import RecordedCommand, RecordedEvent
from serverdomain.store.sqlite.as_stored import AsStored, weight
from serverdomain.store.sqlite.stored import EVENTS, OURS, RECORDED
from serverdomain.store.stored import OF_COMMAND, PAGE_BYTES, event_of, is_ours, require_fact

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
        news: list[News] = []
        for position, version, topic, state, stream, occurred_at in rows:
            server_id = server_id_of(stream)
            if server_id in of:
                try:
                    require_fact(position, version, topic, occurred_at)
                    event = CODEC.decode(topic, state, position)
                    fact = Fact(occurred_at, position, server_id, version, event)
                except StoreError:
                    news.append((server_id, None))
                else:
                    news.append((server_id, fact))
        return news

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
        facts: list[Fact] = []
        last, size = after, 0
        readers = CODEC.readers
        ids: dict[str, str] = {}
        values = (after, until, limit)
        with self._utf8(_FACTS, values), closing(self.connection.execute(_FACTS, values)) as rows:
            for position, version, topic, state, stream, occurred_at in rows:
                read = readers.get(topic)
                # Asked here and in one breath, since every event of a replay comes by.
                if (
                    read is not None
                    and type(version) is type(occurred_at) is int
                    and 0 < version < LARGEST
                    and EARLIEST <= occurred_at <= LATEST
                ):
                    try:
                        event = read(state)
                    except msgspec.DecodeError:
                        event = CODEC.decode(topic, state, position)  # Says what is wrong.
                    if type(event) is not CommandRefused:
                        of = ids.get(stream) or ids.setdefault(stream, server_id_of(stream))
                        facts.append(Fact(occurred_at, position, of, version, event))
                elif occurred_at is not None and is_ours(topic):
                    require_fact(position, version, topic, occurred_at)
                    return Page(facts, last, UnknownEvent(topic, position))
                last = position
                size += state.__sizeof__()
                if size >= PAGE_BYTES:
                    break
        return Page(facts, last, None)

    def events(self, after: int, limit: int) -> Page[RecordedEvent]:
        """The events behind a position, refusals among them."""
        events: list[RecordedEvent] = []
        last = after
        for row in self._some(
            f"{EVENTS} FROM stored_events e LEFT JOIN commands c USING (command_id)"
            " WHERE e.position > ? ORDER BY e.position LIMIT ?",
            after,
            limit,
        )[0]:
            if is_ours(row[2]) and row[4] is not None:
                try:
                    events.append(event_of(row))
                except UnknownEvent as unknown:
                    return Page(events, last, unknown)
            last = row[0]
        return Page(events, last, None)

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

    def first_positions(self, commands: Collection[RecordedCommand]) -> dict[int, int]:
        """The position of each command's first event."""
        ids = msgspec.json.encode([one.command_id for one in commands]).decode()
        return dict(self._all(_FIRSTS, ids))
