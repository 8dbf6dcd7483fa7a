"""What changed in a server's documented members: every list of changes shows this."""

from __future__ import annotations

from typing import Any, NamedTuple

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
    return changed(members(before), members(after))


def changed(old: dict[str, Any], new: dict[str, Any]) -> tuple[Change, ...]:
    """What changed from the ``old`` `members` to the ``new`` ones."""
    # Most facts change one member or two: the others are told by identity, and not taken apart.
    names = [
        name
        for name in (new if old.keys() == new.keys() else new | old)
        if (was := old.get(name)) is not (now := new.get(name)) and was != now
    ]
    had = _leaves(old, names)
    has = _leaves(new, names)
    return tuple(
        [
            Change(path, before, after)
            for path in (has if had.keys() == has.keys() else has | had)
            if (before := had.get(path)) != (after := has.get(path))
        ]
    )


def members(server: Server | None) -> dict[str, Any]:
    """The documented members that a change is told of: all but ``updated``."""
    if server is None or server.deleted:
        return {}
    found = document(server)
    del found["updated"]
    return found


def _leaves(members: dict[str, Any], names: list[str]) -> dict[str, object]:
    """The leaves of those of the members that are named, by JSON Pointer."""
    found: dict[str, object] = {}
    for name in names:
        member = members.get(name)
        if isinstance(member, dict):
            _collect(f"/{name}", member, found)
        elif name in members:
            found[f"/{name}"] = member
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
