"""What changed in a server's documented members: every list of changes shows this."""

from __future__ import annotations

from typing import NamedTuple

from serverdomain.domain.server import Server

document = Server.to_dict
"""The documented members of a server."""


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
