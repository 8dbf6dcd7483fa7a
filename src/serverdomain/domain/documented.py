"""The members of the documented answer, in their order: of which value of a server each is made.

Their source is the documented answer to *Rebuild server*; ``fault``, the last, is Nova's. A table,
so that whoever asks what changed compares the values and shows those members alone that differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from serverdomain.domain import moment
from serverdomain.domain.events import Address, Fault

if TYPE_CHECKING:
    from serverdomain.domain.server import Server

_SHOWS_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD"})


def values(server: Server) -> tuple[Any, ...]:
    """What each of the `MEMBERS` is made of; ``None`` for one that is absent."""
    status = server.status
    return (
        server.access_ipv4,
        server.access_ipv6,
        server.addresses,
        server.created_micros,
        server.flavor_id,
        server.host_id,
        server.id,
        server.image_id,
        server.metadata,
        server.name,
        server.progress if status in _SHOWS_PROGRESS else None,
        status,
        server.project_id,
        server.updated_micros,
        server.user_id,
        server.fault if status == "ERROR" else None,
    )


def _addresses(addresses: dict[str, tuple[Address, ...]]) -> dict[str, object]:
    return {
        network: [{"addr": one.addr, "version": one.version} for one in each]
        for network, each in addresses.items()
    }


def _by_id(one: str) -> dict[str, object]:
    return {"id": one}


def _fault(fault: Fault) -> dict[str, object]:
    created = moment.seconds(fault.created_micros)
    return {"code": fault.code, "created": created, "message": fault.message}


MEMBERS: dict[str, Callable[[Any], object]] = {
    "accessIPv4": str,
    "accessIPv6": str,
    "addresses": _addresses,
    "created": moment.seconds,
    "flavor": _by_id,
    "hostId": str,
    "id": str,
    "image": _by_id,
    "metadata": dict,
    "name": str,
    "progress": int,
    "status": str,
    "tenant_id": str,
    "updated": moment.seconds,
    "user_id": str,
    "fault": _fault,
}
"""How each documented member shows its value."""
