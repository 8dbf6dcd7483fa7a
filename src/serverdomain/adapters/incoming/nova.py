"""Nova's versioned notifications: what each reports, and every value that it gave.

A payload carries new values only, so from what to what is the fold's to tell. What a message
reports stands beside a `ServerObserved` with all its values: before it where the fact alone would
say less than the values, behind it where it needs the server to be there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Annotated, Any, get_args

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from serverdomain.adapters.incoming.message import (
    Envelope,
    PassedOver,
    Reported,
    actor,
    context,
    decoded,
    identity,
    unwrapped,
    utc,
)
from serverdomain.domain import events as e
from serverdomain.domain import limits, moment
from serverdomain.errors import InvalidInput

STATES = {
    "active": "ACTIVE",
    "stopped": "SHUTOFF",
    "error": "ERROR",
    "building": "BUILD",
    "paused": "PAUSED",
    "suspended": "SUSPENDED",
    "rescued": "RESCUE",
    "resized": "VERIFY_RESIZE",
    "shelved": "SHELVED",
    "shelved_offloaded": "SHELVED_OFFLOADED",
    "soft-delete": "SOFT_DELETED",
}
"""Our word for each state of Nova's."""

_MAJORS = {"InstanceUpdatePayload": ("1", "2"), "InstanceExistsPayload": ("1", "2")}
_SCHEDULING = "compute_task.rebuild_server.error"
_REBUILDING = "rebuilding"
_TIMES = ("created_at", "launched_at", "updated_at", "terminated_at", "deleted_at")
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Text = str | None | UnsetType
Given = UnsetType


class _Object(Struct):
    """Nova's way to write an object: its name and version beside its data."""

    data: Raw = field(name="nova_object.data")
    name: str = field(name="nova_object.name", default="")
    version: str = field(name="nova_object.version", default="")


class _Flavor(Struct):
    flavorid: str


class _FlavorObject(Struct):
    data: _Flavor = field(name="nova_object.data")


class _Ip(Struct):
    address: str
    version: int
    label: str | None = None


class _IpObject(Struct):
    data: _Ip = field(name="nova_object.data")


class _Exception(Struct):
    exception: str | None = None
    exception_message: str | None = None


class _ExceptionObject(Struct):
    data: _Exception = field(name="nova_object.data")


class _Update(Struct):
    old_task_state: str | None = None
    new_task_state: str | None = None


class _UpdateObject(Struct):
    data: _Update = field(name="nova_object.data")


class _Instance(Struct):
    uuid: str
    display_name: Text = UNSET
    tenant_id: Text = UNSET
    user_id: Text = UNSET
    image_uuid: Text = UNSET
    flavor: _FlavorObject | None = None
    host: Text = UNSET
    state: Text = UNSET
    progress: Annotated[int, Meta(ge=0, le=100)] | None = None
    metadata: dict[str, str] | None = None
    ip_addresses: list[_IpObject] | None = None
    auto_disk_config: Text = UNSET
    fault: _ExceptionObject | None = None
    state_update: _UpdateObject | None = None
    request_id: str | None = None
    action_initiator_user: str | None = None
    action_initiator_project: str | None = None
    created_at: str | None = None
    launched_at: str | None = None
    updated_at: str | None = None
    terminated_at: str | None = None
    deleted_at: str | None = None


class _Task(Struct):
    instance_uuid: str
    reason: _ExceptionObject | None = None


_read_object = msgspec.json.Decoder(_Object).decode
_read_instance = msgspec.json.Decoder(_Instance).decode
_read_task = msgspec.json.Decoder(_Task).decode
_parse = lru_cache(maxsize=4096)(moment.parse)
_utc = lru_cache(maxsize=4096)(utc)


def read(raw: bytes) -> Iterator[Reported | PassedOver]:
    """What one message becomes. Raises `InvalidInput` for one that cannot be read."""
    envelope, own = unwrapped(raw)
    kind = envelope.event_type
    if not kind:
        raise InvalidInput("event_type", "nothing came, a notification has one")
    if kind.startswith("instance."):
        yield _instance(kind, envelope, own)
    elif kind == _SCHEDULING:
        yield _scheduling(envelope, own)
    else:
        yield PassedOver(kind)


def _data(envelope: Envelope, read_data: Callable[[bytes], Any]) -> Any:
    payload: _Object = decoded(_read_object, bytes(envelope.payload), "payload")
    allowed = _MAJORS.get(payload.name, ("1",))
    if payload.version.partition(".")[0] not in allowed:
        raise InvalidInput(
            "nova_object.version",
            f"{payload.version!a} of {payload.name or 'a payload'} came, "
            f"{' or '.join(f'{major}.x' for major in allowed)} is allowed",
        )
    return decoded(read_data, bytes(payload.data), "payload")


def _instance(kind: str, envelope: Envelope, own: bytes) -> Reported | PassedOver:
    said: _Instance = _data(envelope, _read_instance)
    times = [_parse(time, name) for name in _TIMES if (time := getattr(said, name)) is not None]
    if envelope.timestamp is not None:
        at = _utc(envelope.timestamp, "timestamp")
    elif times:
        at = max(times)
    else:
        return PassedOver(kind)
    server_id = _uuid("uuid", said.uuid)
    named = identity(envelope, own)
    asked = context(
        "nova",
        named,
        actor(
            (said.action_initiator_user, said.action_initiator_project),
            (envelope.user_id, envelope.project_id),
        ),
        said.request_id or envelope.request_id,
        envelope.global_request_id,
    )
    rebuild_id = asked.caused_by or asked.request_id
    before, behind = _reported(kind, said, rebuild_id)
    observed = _observed(server_id, said, at)
    return Reported(server_id, (*before, observed, *behind), asked, at)


def _reported(
    kind: str, said: _Instance, rebuild_id: str
) -> tuple[tuple[e.Event, ...], tuple[e.Event, ...]]:
    """What a message reports, before and behind the values that it gave."""
    match kind:
        case "instance.create.end":
            return (e.ServerBuilt(),), ()
        case "instance.power_off.end":
            return (e.ServerStopped(),), ()
        case "instance.power_on.end":
            return (e.ServerStarted(),), ()
        case "instance.rebuild.end":
            progress = 100 if said.progress is None else said.progress
            return (e.RebuildCompleted(rebuild_id, progress),), ()
        case "instance.rebuild_scheduled" | "instance.rebuild.start":
            return (), (_requested(said, rebuild_id),)
        case "instance.rebuild.error":
            failed = e.RebuildFailed(rebuild_id, "hypervisor", _why(said.fault))
            return (), (_requested(said, rebuild_id), failed)
        case "instance.lock":
            # As Nova has it: a lock is an administrator's where the project is not the server's.
            is_owners = said.action_initiator_project in (None, said.tenant_id)
            return (), (e.ServerLocked("owner" if is_owners else "admin"),)
        case "instance.unlock":
            return (), (e.ServerUnlocked(),)
    update = said.state_update and said.state_update.data
    if kind == "instance.delete.end" or said.state == "deleted":
        return (), (e.ServerDeleted(),)
    if update and update.new_task_state == _REBUILDING != update.old_task_state:
        return (), (_requested(said, rebuild_id),)
    return (), ()


def _requested(said: _Instance, rebuild_id: str) -> e.RebuildRequested:
    return e.RebuildRequested(rebuild_id, _image(said) or "", "unknown")


def _observed(server_id: str, said: _Instance, at: int) -> e.ServerObserved:
    return e.ServerObserved(
        server_id=server_id,
        name=_given(said.display_name),
        project_id=_given(said.tenant_id),
        user_id=_given(said.user_id),
        image_id=_image(said),
        flavor_id=said.flavor.data.flavorid if said.flavor else UNSET,
        state=_state(said.state),
        metadata=UNSET if said.metadata is None else said.metadata,
        addresses=UNSET if said.ip_addresses is None else _addresses(said.ip_addresses),
        host_id=_host_id(said),
        progress=UNSET if said.progress is None else said.progress,
        disk_config=_disk_config(said.auto_disk_config),
        created=_parse(said.created_at, "created_at") if said.created_at else UNSET,
        fault=e.Fault(500, at, _why(said.fault)) if said.fault else UNSET,
    )


def _given(text: Text) -> str | Given:
    return UNSET if text is None else text


def _image(said: _Instance) -> str | Given:
    # A server that starts from a volume has no image, and Nova says so with empty text.
    image = said.image_uuid
    if not isinstance(image, str):
        return UNSET
    return _uuid("image_uuid", image) if image else image


def _state(state: Text) -> Any:
    if not isinstance(state, str) or state == "deleted":
        return UNSET
    found = STATES.get(state)
    if found is None:
        raise InvalidInput("state", f"{limits.shown(state)} came, {', '.join(STATES)} are allowed")
    return found


def _disk_config(given: Text) -> Any:
    if not isinstance(given, str) or not given:
        return UNSET
    return limits.one_of("auto_disk_config", given, get_args(e.DiskConfig))


@lru_cache(maxsize=1024)
def _hashed(project_and_host: str) -> str:
    return hashlib.sha224(project_and_host.encode()).hexdigest()


def _host_id(said: _Instance) -> str | Given:
    """The documented `hostId` of a host, as Nova makes it from its name."""
    if said.host is UNSET or not isinstance(said.tenant_id, str):
        return UNSET
    return _hashed(f"{said.tenant_id}{said.host}") if said.host else ""


def _addresses(given: list[_IpObject]) -> dict[str, tuple[e.Address, ...]]:
    found: dict[str, tuple[e.Address, ...]] = {}
    for one in given:
        ip = one.data
        address = e.Address(limits.address("ip_addresses", ip.address, ip.version), ip.version)
        network = ip.label or ""
        found[network] = (*found.get(network, ()), address)
    return found


def _why(fault: _ExceptionObject | None) -> str:
    if fault is None:
        return "no reason was given"
    return fault.data.exception_message or fault.data.exception or "no reason was given"


def _uuid(name: str, given: str) -> str:
    return given if _UUID.fullmatch(given) else limits.canonical_uuid(name, given)


def _scheduling(envelope: Envelope, own: bytes) -> Reported | PassedOver:
    said: _Task = _data(envelope, _read_task)
    if envelope.timestamp is None:
        return PassedOver(_SCHEDULING)
    asked = context(
        "nova",
        identity(envelope, own),
        actor((envelope.user_id, envelope.project_id)),
        envelope.request_id,
        envelope.global_request_id,
    )
    failed = e.RebuildFailed(asked.caused_by or asked.request_id, "scheduling", _why(said.reason))
    at = _utc(envelope.timestamp, "timestamp")
    return Reported(_uuid("instance_uuid", said.instance_uuid), (failed,), asked, at)
