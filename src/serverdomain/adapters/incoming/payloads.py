"""Nova's payloads, as its versioned notifications bear them: what is kept of each, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from serverdomain.adapters.incoming.message import Envelope, Time, decoded
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput

_SHOWN = 60
_MAJORS = {"InstanceUpdatePayload": ("1", "2"), "InstanceExistsPayload": ("1", "2")}

Text = str | None | UnsetType


class Payload(Struct):
    """Nova's way to write an object: its name and version beside its data."""

    data: Raw = field(name="nova_object.data")
    name: str = field(name="nova_object.name", default="")
    version: str = field(name="nova_object.version", default="")


class Flavor(Struct):
    """What is kept of a flavor."""

    flavorid: str


class FlavorObject(Struct):
    """A `Flavor` as Nova writes it."""

    data: Flavor = field(name="nova_object.data")


class Ip(Struct):
    """An address, and the network that it is on."""

    address: str
    version: int
    label: str | None = None


class IpObject(Struct):
    """An `Ip` as Nova writes it."""

    data: Ip = field(name="nova_object.data")


class Fault(Struct):
    """What went wrong, as Nova says it."""

    exception: str | None = None
    exception_message: str | None = None


class FaultObject(Struct):
    """A `Fault` as Nova writes it."""

    data: Fault = field(name="nova_object.data")


class Update(Struct):
    """From what to what a task goes."""

    old_task_state: str | None = None
    new_task_state: str | None = None


class UpdateObject(Struct):
    """An `Update` as Nova writes it."""

    data: Update = field(name="nova_object.data")


class Instance(Struct):
    """A server. What a message does not say is unset, or null."""

    uuid: str
    display_name: Text = UNSET
    tenant_id: Text = UNSET
    user_id: Text = UNSET
    image_uuid: Text = UNSET
    flavor: FlavorObject | None = None
    host: Text = UNSET
    state: Text = UNSET
    progress: Annotated[int, Meta(ge=0, le=100)] | None = None
    metadata: dict[str, str] | None = None
    ip_addresses: list[IpObject] | None = None
    auto_disk_config: Text = UNSET
    fault: FaultObject | None = None
    state_update: UpdateObject | None = None
    request_id: str | None = None
    action_initiator_user: str | None = None
    action_initiator_project: str | None = None
    created_at: Time | None = None
    launched_at: Time | None = None
    updated_at: Time | None = None
    terminated_at: Time | None = None
    deleted_at: Time | None = None


class Task(Struct):
    """A task of the conductor's about a server."""

    instance_uuid: str
    reason: FaultObject | None = None


class InstanceObject(Struct):
    """An `Instance` as Nova writes it."""

    data: Instance = field(name="nova_object.data")
    name: str = field(name="nova_object.name", default="")
    version: str = field(name="nova_object.version", default="")


class InstanceMessage(Envelope, kw_only=True):
    """A message about a server, as the bus has it."""

    payload: InstanceObject  # type: ignore[assignment]


_read_message = msgspec.json.Decoder(InstanceMessage).decode
_read_payload = msgspec.json.Decoder(Payload).decode
_read_instance = msgspec.json.Decoder(Instance).decode
_read_task = msgspec.json.Decoder(Task).decode


def at_once(raw: bytes) -> InstanceMessage | None:
    """A message about a server read in one go; ``None`` for any other, and for a broken one."""
    try:
        message: InstanceMessage = _read_message(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if message.inner or not (message.event_type or "").startswith("instance."):
        return None
    _require_known(message.payload)
    return message


def instance(envelope: Envelope) -> Instance:
    """The server that a message tells of. Raises `InvalidInput`."""
    found: Instance = _data(envelope, _read_instance)
    return found


def task(envelope: Envelope) -> Task:
    """The conductor's task that a message tells of. Raises `InvalidInput`."""
    found: Task = _data(envelope, _read_task)
    return found


def _data(envelope: Envelope, read: Callable[[bytes], Any]) -> Any:
    payload: Payload = decoded(_read_payload, bytes(envelope.payload), "payload")
    _require_known(payload)
    return decoded(read, bytes(payload.data), "payload")


def _require_known(payload: Payload | InstanceObject) -> None:
    allowed = _MAJORS.get(payload.name, ("1",))
    if payload.version.partition(".")[0] not in allowed:
        raise InvalidInput(
            "nova_object.version",
            f"{shown(payload.version)} of {payload.name[:_SHOWN] or 'a payload'} came, "
            f"{' or '.join(f'{major}.x' for major in allowed)} is allowed",
        )
