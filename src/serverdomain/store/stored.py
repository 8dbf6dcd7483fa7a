"""Rows of a log, whatever engine keeps them: the columns of a command, and what is read back."""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import product
from types import NoneType

import msgspec

from serverdomain.domain import moment
from serverdomain.domain.events import CommandRefused
from serverdomain.domain.history import Fact
from serverdomain.errors import StoreDamaged, StoreError, UnknownEvent
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.codec import CODEC, PREFIX, server_id_of
from serverdomain.store.log import LARGEST, News, Page, Row
from serverdomain.store.recorded import RecordedCommand, RecordedEvent

OF_COMMAND = (
    "c.command_id, c.kind, c.server_id, c.members, c.user_id, c.project_id, c.roles,"
    " c.request_id, c.correlation_id, c.caused_by, c.occurred_at, c.recorded_at"
)
"""The columns of a command, as `command_of` reads them."""

PAGE_BYTES = 4 * 1024 * 1024
"""A page ends behind the event with which its events, as they are stored, reach this size."""

_BOOKMARKS = {(str, int, *rest) for rest in product((int, NoneType), (str, NoneType))}

_decode_roles = msgspec.json.Decoder(tuple[str, ...]).decode


def command_of(columns: Iterable[object]) -> RecordedCommand:
    """The command of a row. Raises `StoreDamaged` where a column cannot be read."""
    values = list(columns)
    try:
        values[6] = _decode_roles(values[6])  # type: ignore[arg-type]
    except (msgspec.DecodeError, TypeError) as error:
        raise StoreDamaged(f"command {values[0]} has roles that cannot be read: {error}") from error
    try:
        return msgspec.convert(values, RecordedCommand)
    except msgspec.ValidationError as error:
        raise StoreDamaged(f"command {values[0]} has columns that cannot be read") from error


def event_of(row: Row) -> RecordedEvent:
    """The event of a row. Raises `StoreDamaged` or `UnknownEvent` where it cannot be read."""
    position, version, topic, state, *columns = row
    require_event(position, version, topic)
    event = CODEC.decode(topic, state, position)
    return RecordedEvent(position, version, topic, event, command_of(columns))


def fact_of(server_id: str, row: Row) -> Fact:
    """The fact of a row. Raises `StoreDamaged` or `UnknownEvent` where it cannot be read."""
    position, version, topic, state, occurred_at, _ = row
    require_fact(position, version, topic, occurred_at)
    event = CODEC.decode(topic, state, position)
    return Fact(occurred_at, position, server_id, version, event)


def facts_of(rows: Iterable[Row], after: int) -> Page[Fact]:
    """A page of the facts in rows behind a position, which ends where it is full.

    A row is a position, a version, a topic, a state, a stream and when it occurred.
    """
    facts: list[Fact] = []
    last, size = after, 0
    readers = CODEC.readers
    ids: dict[str, str] = {}
    for position, version, topic, state, stream, occurred_at in rows:
        read = readers.get(topic)
        # Asked here and in one breath, since every event of a replay comes by.
        if (
            read is not None
            and type(version) is type(occurred_at) is int
            and 0 < version < LARGEST
            and moment.EARLIEST <= occurred_at <= moment.LATEST
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


def news_of(rows: Iterable[Row], of: Container[str]) -> list[News]:
    """What rows as those of `facts_of` hold about some servers; no fact where it cannot be read."""
    news: list[News] = []
    for position, version, topic, state, stream, occurred_at in rows:
        server_id = server_id_of(stream)
        if server_id in of:
            try:
                fact = fact_of(server_id, (position, version, topic, state, occurred_at, None))
            except StoreError:
                news.append((server_id, None))
            else:
                news.append((server_id, fact))
    return news


def events_of(rows: Iterable[Row], after: int) -> Page[RecordedEvent]:
    """A page of the events in rows behind a position, which `event_of` reads."""
    events: list[RecordedEvent] = []
    last = after
    for row in rows:
        if is_ours(row[2]) and row[4] is not None:
            try:
                events.append(event_of(row))
            except UnknownEvent as unknown:
                return Page(events, last, unknown)
        last = row[0]
    return Page(events, last, None)


def require_fact(position: int, version: object, topic: object, occurred_at: object) -> None:
    """Raise `StoreDamaged` unless a fact has a version, a topic and a time that one can have."""
    require_event(position, version, topic)
    if not is_time(occurred_at):
        raise StoreDamaged(f"the event at position {position} has no time")


def require_event(position: int, version: object, topic: object) -> None:
    """Raise `StoreDamaged` unless an event has the version and the topic that one can have."""
    if type(version) is not int or type(topic) is not str or not 0 < version < LARGEST:
        raise StoreDamaged(
            f"position {position} of the log holds an event whose version or topic cannot be read"
        )


def is_ours(topic: str | bytes) -> bool:
    """Whether an event is not another application's; no application's topic is bytes."""
    return type(topic) is not str or topic.startswith(PREFIX)


def is_time(found: object) -> bool:
    """Whether it is a time that can be written, in microseconds since 1970 UTC."""
    return type(found) is int and moment.EARLIEST <= found <= moment.LATEST


def bookmark_of(row: Row) -> Bookmark:
    """The bookmark of a row. Raises `StoreDamaged` where a column cannot be read."""
    if tuple(map(type, row)) not in _BOOKMARKS:
        raise StoreDamaged(f"the bookmark of the reaction {row[0]!a} cannot be read")
    return Bookmark(*row)


def columns_of(command: RecordedCommand) -> Row:
    """A row of ``commands``, but for its number and whether the command was refused."""
    return (
        command.kind,
        command.server_id,
        command.members,
        command.user_id,
        command.project_id,
        msgspec.json.encode(command.roles).decode(),
        command.request_id,
        command.correlation_id,
        command.caused_by,
        command.occurred_at,
        command.recorded_at,
    )
