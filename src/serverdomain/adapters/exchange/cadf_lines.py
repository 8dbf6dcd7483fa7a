"""CADF, DMTF's audit records as OpenStack writes them: one for each command. Needs pycadf.

pycadf takes any word and any id; so here the words are those of its taxonomy, and the ids UUIDs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from pycadf import cadftype
from pycadf.attachment import Attachment
from pycadf.event import Event
from pycadf.reason import Reason
from pycadf.reporterstep import Reporterstep
from pycadf.resource import Resource
from pycadf.tag import generate_name_value_tag

from serverdomain.adapters.exchange.asked import Asked, asked
from serverdomain.adapters.exchange.form import End
from serverdomain.domain import moment
from serverdomain.domain.actor import SYSTEM
from serverdomain.store.log import Row

_ACTIONS = {
    "register": "create",
    "create": "create",
    "delete": "delete",
    "start": "start",
    "stop": "stop",
    "lock": "disable",
    "unlock": "enable",
    "record": "capture",
}
"""What else is asked changes the server: ``update/rebuild``."""

_TAGGED = ("request_id", "correlation_id", "caused_by", "project_id")
_NAME = "serverdomain"


def lines(log_id: str, rows: Iterable[Row], before: int) -> Iterator[bytes]:
    """A line for each command, refused ones among them."""
    for command in asked(rows):
        yield msgspec.json.encode(_event(log_id, command).as_dict()) + b"\n"


def end(line: bytes) -> End:
    """Where an export ends, by its last line."""
    record = msgspec.json.decode(line)
    return End(record["observer"]["id"], record["attachments"][0]["content"]["position"])


def _event(log_id: str, command: Asked) -> Event:
    observer = Resource(_id(log_id), "service/compute", _NAME)
    event = Event(
        cadftype.EVENTTYPE_ACTIVITY,
        str(uuid5(UUID(_id(log_id)), str(command.command_id))),
        _time(command.occurred_at),
        _ACTIONS.get(command.kind, f"update/{command.kind}"),
        "failure" if command.refused else "success",
        initiator=_initiator(command),
        target=Resource(_id(command.server_id), "compute/machine"),
        observer=observer,
        name=command.kind,
        reason=Reason(_NAME, command.refusal[0]) if command.refused else None,
    )
    event.add_reporterstep(
        Reporterstep(cadftype.REPORTER_ROLE_OBSERVER, _time(command.recorded_at), observer)
    )
    for name in _TAGGED:
        value = getattr(command, name)
        if value is not None:
            event.add_tag(generate_name_value_tag(name, value))
    told = [
        {"position": one.position, "event": one.name, "data": one.data} for one in command.events
    ]
    content = {"position": command.position, "roles": command.roles, "events": told}
    event.add_attachment(Attachment("application/json", content, _NAME))
    return event


def _initiator(command: Asked) -> Resource:
    by_itself = command.user_id == SYSTEM.user_id
    kind = "service/compute" if by_itself else "service/security/account/user"
    return Resource(_id(command.user_id), kind, command.user_id)


def _id(name: str) -> str:
    """A name that is a UUID as it is, and another one as the UUID that stands for it."""
    try:
        return str(UUID(name))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, name))


def _time(micros: int) -> str:
    return f"{moment.exact(micros)[:-1]}+0000"
