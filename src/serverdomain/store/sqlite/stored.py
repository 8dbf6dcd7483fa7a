"""Rows of a log on SQLite: the columns that are asked for, and what is read back from them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from serverdomain.errors import StoreDamaged
from serverdomain.store.codec import CODEC
from serverdomain.store.log import Row
from serverdomain.store.recorded import RecordedCommand, RecordedEvent

OF_COMMAND = (
    "c.command_id, c.kind, c.server_id, c.members, c.user_id, c.project_id, c.roles,"
    " c.request_id, c.correlation_id, c.caused_by, c.occurred_at, c.recorded_at"
)
"""The columns of a command, as `command_of` reads them."""

EVENTS = f"SELECT e.position, e.originator_version, e.topic, e.state, {OF_COMMAND}"
"""The columns of an event and its command, as `event_of` reads them."""

OURS = "FROM stored_events e JOIN commands c USING (command_id)"
"""The rows of events of ours, refusals among them."""

RECORDED = f"{EVENTS} {OURS}"
"""The events of ours, whole."""

_decode_roles = msgspec.json.Decoder(tuple[str, ...]).decode


def command_of(columns: Iterable[object]) -> RecordedCommand:
    """The command of a row. Raises `StoreDamaged` where its roles cannot be read."""
    values = list(columns)
    try:
        values[6] = _decode_roles(values[6])  # type: ignore[arg-type]
    except (msgspec.DecodeError, TypeError) as error:
        raise StoreDamaged(f"command {values[0]} has roles that cannot be read: {error}") from error
    return RecordedCommand(*values)  # type: ignore[arg-type]


def event_of(row: Row) -> RecordedEvent:
    """The event of a row. Raises `StoreDamaged` or `UnknownEvent` where it cannot be read."""
    position, version, topic, state, *columns = row
    event = CODEC.decode(topic, state, position)
    return RecordedEvent(position, version, topic, event, command_of(columns))
