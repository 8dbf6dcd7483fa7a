"""The log in PostgreSQL in order of position: pages of it, and what tells two states apart."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Container, Iterable, Sequence

import msgspec

from serverdomain.domain.history import Fact
from serverdomain.errors import StoreDamaged, UnknownEvent
from serverdomain.store.codec import refusals_of, server_id_of, stream_of
from serverdomain.store.log import LARGEST, News, Page, Row, Tip
from serverdomain.store.postgresql.as_stored import ANY, AsStored, is_full, page_of
from serverdomain.store.postgresql.states import as_bytes
from serverdomain.store.recorded import RecordedCommand, RecordedEvent
from serverdomain.store.remembered import MOST_NEW
from serverdomain.store.stored import (
    OF_COMMAND,
    PAGE_BYTES,
    event_of,
    events_of,
    facts_of,
    news_of,
)

EVENT = f"e.position, e.originator_version, e.topic, e.state, {OF_COMMAND}"
"""The columns of an event and its command, as `event_of` reads them."""

OURS = "FROM {schema}.stored_events e JOIN {schema}.commands c ON c.command_id = e.command_id"
"""The rows of events of ours, refusals among them."""

RECORDED = f"SELECT {EVENT} {OURS}"
"""The events of ours, whole."""

_ORDER = (
    f"SELECT e.position, octet_length(e.state) + COALESCE(octet_length(c.members), 0) {OURS}"
    " WHERE e.originator_id = ANY(%s) AND e.position > %s AND e.position <= %s"
    " ORDER BY c.occurred_at, e.position"
)
_BEHIND = " WHERE e.position > %s AND e.position <= %s"
_FACTS = page_of(
    "e.position, e.originator_version, e.topic, e.state, e.originator_id, c.occurred_at",
    f"{ANY}{_BEHIND}",
    weight="octet_length(e.state)",
)
# Where they weigh less than a page nothing is weighed row by row. Times are asked for by range:
# to look each event's command up takes four times as long.
_LIGHT = (
    "SELECT e.position, e.originator_version, e.topic, e.state, e.originator_id, e.command_id"
    f" FROM {{schema}}.stored_events e{_BEHIND} AND (SELECT SUM(octet_length(e.state))"
    f" FROM {{schema}}.stored_events e{_BEHIND}) < {PAGE_BYTES} ORDER BY e.position"
)
_OCCURRED = (
    "SELECT c.command_id, c.occurred_at FROM {schema}.commands c"
    " WHERE c.command_id BETWEEN %s AND %s"
)
_EVENTS = page_of(EVENT, f"{ANY}{_BEHIND}")
_HAPPENED = f"{OURS}{_BEHIND} AND c.refused = 0"
_NAMES = " AND split_part(e.topic, ':', 2) = ANY(%s)"
_ALL_FACTS, _NAMED_FACTS = page_of(EVENT, _HAPPENED), page_of(EVENT, f"{_HAPPENED}{_NAMES}")


TIP = (
    "SELECT e.position, e.originator_id, e.originator_version, e.command_id, c.request_id,"
    f" c.recorded_at {ANY} WHERE e.position <= %s ORDER BY e.position DESC LIMIT 1"
)
"""The last row at or below a position, as `tip_of` reads it."""

_NEWS = MOST_NEW + 1
_FIRSTS = (
    "SELECT e.command_id, MIN(e.position) FROM {schema}.stored_events e"
    " WHERE e.command_id = ANY(%s) GROUP BY e.command_id"
)


class Feed(AsStored):
    """The questions of whoever follows the log."""

    def head(self) -> int:
        """The last position."""
        return self._value("SELECT MAX(position) FROM {schema}.stored_events") or 0

    def tip(self, until: int = LARGEST) -> Tip:
        """The last row, or the last at or below a position."""
        rows = self._all(TIP, until)
        return tip_of(rows[0]) if rows else Tip()

    def news(self, after: int, of: Container[str]) -> list[News] | None:
        """What was appended to some servers behind a position."""
        rows = self._some(_FACTS, after, LARGEST, _NEWS)
        if is_full(rows, _NEWS, 3):
            return None
        return news_of(rows, of)

    def changed_between(self, after: int, until: int) -> list[str]:
        """The ids of the servers that have facts behind one position and up to another."""
        found = self._some(f"SELECT DISTINCT e.originator_id {_HAPPENED}", after, until)
        return [server_id_of(stream) for (stream,) in found]

    def row_hash(self, position: int) -> str | None:
        """SHA-256, in hex, of the row at a position with its command's; ``None`` without one."""
        found = self._all(
            "SELECT e.position, e.originator_id, e.originator_version, e.topic, e.state,"
            f" {OF_COMMAND} {ANY} WHERE e.position = %s",
            position,
        )
        if not found:
            return None
        # Of another application's event, the state as it was given: as every engine has it.
        *event, state, command_id = found[0][:6]
        row = (*event, as_bytes(state) if command_id is None else state, *found[0][5:])
        return hashlib.sha256(msgspec.json.encode(row)).hexdigest()

    def facts(self, after: int, limit: int, until: int = LARGEST) -> Page[Fact]:
        """The facts behind a position."""
        rows = self._light(after, min(until, after + limit))
        return facts_of(rows or self._page(_FACTS, after, until, limit), after)

    def _light(self, after: int, until: int) -> Iterable[Row]:
        """The rows for `facts_of` between two positions; none where they are heavy, or damaged."""
        rows = self._some(_LIGHT, after, until, after, until)
        *columns, ids = zip(*rows, strict=True) if rows else [()]
        known = [one for one in ids if one is not None]
        first, last = min(known, default=0), max(known, default=0)
        if not rows or last - first > len(rows):
            return ()
        occurred_at: dict[int, int] = dict(self._some(_OCCURRED, first, last))
        return zip(*columns, map(occurred_at.get, ids), strict=True)

    def events(self, after: int, limit: int) -> Page[RecordedEvent]:
        """The events behind a position, refusals among them."""
        return events_of(self._page(_EVENTS, after, LARGEST, limit), after)

    def events_named(self, after: int, limit: int, names: Sequence[str]) -> Page[RecordedEvent]:
        """Facts of these names behind a position; without names, all facts."""
        question, given = (_NAMED_FACTS, [list(names)]) if names else (_ALL_FACTS, [])
        rows = self._some(question, after, LARGEST, *given, limit)
        events: list[RecordedEvent] = []
        for row in rows:
            try:
                events.append(event_of(row))
            except (UnknownEvent, StoreDamaged) as error:
                return Page(events, row[0] - 1, error)
        if is_full(rows, limit, 3, 7):
            return Page(events, rows[-1][0], None)
        return Page(events, max(after, self.head()), None)

    def events_at(self, positions: Sequence[int]) -> list[RecordedEvent]:
        """The events that stand at these positions."""
        found = self._some(
            f"{RECORDED} WHERE e.position = ANY(%s) ORDER BY e.position", list(positions)
        )
        return [event_of(row) for row in found]

    def order(
        self, server_id: str, until: int = LARGEST, *, after: int = 0, with_refusals: bool = False
    ) -> list[tuple[int, int]]:
        """The positions of a server's events in order of occurrence, each with its size."""
        streams = [stream_of(server_id), *([refusals_of(server_id)] if with_refusals else [])]
        return self._all(_ORDER, streams, after, until)

    def first_positions(self, commands: Collection[RecordedCommand]) -> dict[int, int]:
        """The position of each command's first event."""
        return dict(self._all(_FIRSTS, [one.command_id for one in commands]))


def tip_of(row: Row) -> Tip:
    """The `Tip` of a row, which may be of nothing but nulls: a log that is empty."""
    position, stream, version, command_id, request_id, recorded_at = row
    if position is None:
        return Tip()
    named = None if request_id is None else request_id.encode()
    return Tip(position, stream.encode(), version, command_id, named, recorded_at)
