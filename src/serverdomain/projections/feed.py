"""The log in pages: events after a position, in order of position."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.errors import UnknownEvent
from serverdomain.store import queries
from serverdomain.store.codec import CODEC, PREFIX
from serverdomain.store.recorded import RecordedEvent

PAGE = 2_000
"""Events that a page holds at most, unless said otherwise."""


class FeedEvent(NamedTuple):
    """An event of ours in the log; ``occurred_at`` in microseconds since 1970 UTC."""

    position: int
    server_id: str
    version: int
    occurred_at: int
    event: Event


class Page(NamedTuple):
    """Events in order, the last position that they cover, and what stopped the page, if anything.

    Another application's events are covered, and passed over; so are refusals, which happened to
    no server.
    """

    events: list[FeedEvent]
    last: int
    stopped_by: UnknownEvent | None


def page(
    log: sqlite3.Connection, after: int, limit: int = PAGE, until: int = queries.LARGEST
) -> Page:
    """The page behind a position, and up to another.

    Its ``last`` is ``after`` where the log ends there.
    """
    events: list[FeedEvent] = []
    last = after
    rows = queries.page(log, after, limit, until)
    for position, stream, version, topic, state, occurred_at in rows:
        if topic.startswith(PREFIX) and occurred_at is not None:
            try:
                event = CODEC.decode(topic, state, position)
            except UnknownEvent as unknown:
                return Page(events, last, unknown)
            if not isinstance(event, CommandRefused):
                server_id = queries.server_id_of(stream)
                events.append(FeedEvent(position, server_id, version, occurred_at, event))
        last = position
    return Page(events, last, None)


class RecordedPage(NamedTuple):
    """A page of events with all that the log says of them; refusals are among them."""

    events: list[RecordedEvent]
    last: int
    stopped_by: UnknownEvent | None


def recorded(log: sqlite3.Connection, after: int, limit: int = PAGE) -> RecordedPage:
    """The page behind a position; its ``last`` is ``after`` where the log ends there."""
    events: list[RecordedEvent] = []
    last = after
    try:
        for position, event in queries.all_after(log, after, limit):
            if event is not None:
                events.append(event)
            last = position
    except UnknownEvent as unknown:
        return RecordedPage(events, last, unknown)
    return RecordedPage(events, last, None)
