"""CloudEvents 1.0: an event of the log as one of these, in their JSON format. Needs `cloudevents`.

An attribute's name has small letters and digits alone; a position is text, since their whole
numbers end at 32 bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from serverdomain.adapters.exchange.asked import Asked, Happened, asked
from serverdomain.adapters.exchange.form import End
from serverdomain.domain import moment
from serverdomain.store.log import Row

_SOURCE = "urn:uuid:"
_form = JSONFormat()


def lines(log_id: str, rows: Iterable[Row], before: int) -> Iterator[bytes]:
    """A line for each event, refusals among them."""
    for command in asked(rows):
        for event in command.events:
            made = CloudEvent(_attributes(log_id, command, event), event.data)
            yield _form.write(made) + b"\n"


def end(line: bytes) -> End:
    """Where an export ends, by its last line."""
    attributes = _form.read(None, line).get_attributes()
    return End(attributes["source"].removeprefix(_SOURCE), int(attributes["position"]))


def _attributes(log_id: str, command: Asked, event: Happened) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(event.position),
        "source": f"{_SOURCE}{log_id}",
        "type": event.topic.replace(":", "."),
        "subject": command.server_id,
        "time": moment.to_datetime(command.occurred_at),
        "datacontenttype": "application/json",
        "position": str(event.position),
        "version": str(event.version),
        "recordedat": moment.exact(command.recorded_at),
        "kind": command.kind,
        "userid": command.user_id,
        "projectid": command.project_id,
        "roles": ",".join(command.roles),
        "requestid": command.request_id,
        "refused": command.refused,
    }
    ids = {"correlationid": command.correlation_id, "causedby": command.caused_by}
    return attributes | {name: value for name, value in ids.items() if value is not None}
