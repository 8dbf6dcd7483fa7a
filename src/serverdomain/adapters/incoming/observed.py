"""What a message of Nova's says of a server, value by value, in our words.

What it does not say is absent.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, get_args

from msgspec import UNSET, UnsetType

from serverdomain.adapters.incoming.payloads import FaultObject, Instance, IpObject, Text
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

_DISK_CONFIGS = get_args(e.DiskConfig)

parse = lru_cache(maxsize=4096)(moment.parse)
"""A time as Nova's payloads have it; many of them bear the same one."""


def observed(server_id: str, said: Instance, at: int) -> e.ServerObserved:
    """Every value that a message gave; it occurred at ``at``. Raises `InvalidInput`."""
    return e.ServerObserved(
        server_id=server_id,
        name=_given(said.display_name),
        project_id=_given(said.tenant_id),
        user_id=_given(said.user_id),
        image_id=image(said),
        flavor_id=said.flavor.data.flavorid if said.flavor else UNSET,
        state=_state(said.state),
        metadata=UNSET if said.metadata is None else said.metadata,
        addresses=UNSET if said.ip_addresses is None else _addresses(said.ip_addresses),
        host_id=_host_id(said),
        progress=UNSET if said.progress is None else said.progress,
        disk_config=_disk_config(said.auto_disk_config),
        created=parse(said.created_at, "created_at") if said.created_at else UNSET,
        fault=e.Fault(500, at, why(said.fault)) if said.fault else UNSET,
    )


def _given(text: Text) -> str | UnsetType:
    return UNSET if text is None else text


def image(said: Instance) -> str | UnsetType:
    """The id of a server's image."""
    # A server that starts from a volume has no image, and Nova says so with empty text.
    image = said.image_uuid
    if not isinstance(image, str):
        return UNSET
    return limits.canonical_uuid("image_uuid", image) if image else image


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
    return limits.one_of("auto_disk_config", given, _DISK_CONFIGS)


def _host_id(said: Instance) -> str | UnsetType:
    """The documented `hostId` of a host, as Nova makes it from its name."""
    if said.host is UNSET or not isinstance(said.tenant_id, str):
        return UNSET
    if not said.host:
        return ""
    return hashlib.sha224(f"{said.tenant_id}{said.host}".encode()).hexdigest()


@lru_cache(maxsize=4096)
def _address(text: str, version: int) -> e.Address:
    return e.Address(limits.address("ip_addresses", text, version), version)


def _addresses(given: list[IpObject]) -> dict[str, tuple[e.Address, ...]]:
    found: dict[str, tuple[e.Address, ...]] = {}
    for one in given:
        ip = one.data
        network = ip.label or ""
        found[network] = (*found.get(network, ()), _address(ip.address, ip.version))
    return found


def why(fault: FaultObject | None) -> str:
    """The reason that a fault gives."""
    if fault is None:
        return "no reason was given"
    return fault.data.exception_message or fault.data.exception or "no reason was given"
