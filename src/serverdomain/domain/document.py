"""A server as its documented members, in their documented order, without links and password.

The Compute JSON and every list of changes show these members. Their source is the documented answer
to *Rebuild server*; ``fault`` is Nova's, for servers in ERROR.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from serverdomain.domain import moment
from serverdomain.domain.server import Server

_SHOWS_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD"})


def document(server: Server) -> dict[str, Any]:
    """The documented members of a server.

    ``progress`` is there only in ACTIVE, BUILD and REBUILD, and ``fault``, the last, only in ERROR.
    """
    status = server.status
    members: dict[str, Any] = {
        "accessIPv4": server.access_ipv4,
        "accessIPv6": server.access_ipv6,
        "addresses": {
            network: [{"addr": a.addr, "version": a.version} for a in addresses]
            for network, addresses in server.addresses.items()
        },
        "created": moment.seconds(server.created_micros),
        "flavor": {"id": server.flavor_id},
        "hostId": server.host_id,
        "id": server.id,
        "image": {"id": server.image_id},
        "metadata": dict(server.metadata),
        "name": server.name,
    }
    if status in _SHOWS_PROGRESS:
        members["progress"] = server.progress
    members["status"] = status
    members["tenant_id"] = server.project_id
    members["updated"] = moment.seconds(server.updated_micros)
    members["user_id"] = server.user_id
    if status == "ERROR" and server.fault is not None:
        members["fault"] = {
            "code": server.fault.code,
            "created": moment.seconds(server.fault.created_micros),
            "message": server.fault.message,
        }
    return members


class Change(NamedTuple):
    """A leaf of the document that changed: JSON Pointer, before, after. ``None`` means absent."""

    path: str
    before: object
    after: object


def changes(before: Server | None, after: Server | None) -> tuple[Change, ...]:
    """What changed in the documented members, leaf by leaf, in their order, without ``/updated``.

    Removed leaves come last. A server that is not there, or is deleted, has no members.
    """
    return changed(leaves(before), leaves(after))


def changed(old: dict[str, object], new: dict[str, object]) -> tuple[Change, ...]:
    """What changed from the ``old`` `leaves` to the ``new`` ones."""
    return tuple(
        Change(path, old.get(path), new.get(path))
        for path in new | old
        if old.get(path) != new.get(path)
    )


def leaves(server: Server | None) -> dict[str, object]:
    """The leaves of the documented members by JSON Pointer, without ``/updated``."""
    if server is None or server.deleted:
        return {}
    members = document(server)
    del members["updated"]
    found: dict[str, object] = {}
    _collect("", members, found)
    return found


def _collect(path: str, value: object, found: dict[str, object]) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            _collect(f"{path}/{key.replace('~', '~0').replace('/', '~1')}", member, found)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _collect(f"{path}/{index}", member, found)
    else:
        found[path] = value
