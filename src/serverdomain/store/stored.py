"""Rows of a log, whatever engine keeps them: the columns of a command, and what is read back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from types import NoneType

import msgspec

from serverdomain.domain import moment
from serverdomain.domain.history import Fact
from serverdomain.errors import StoreDamaged
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.codec import CODEC, PREFIX
from serverdomain.store.log import LARGEST, Row
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
