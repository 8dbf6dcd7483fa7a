"""What changed in a server's documented members: every list of changes shows this."""

from __future__ import annotations

from typing import NamedTuple

from serverdomain.domain.documented import MEMBERS, values
from serverdomain.domain.server import Server, is_there

document = Server.to_dict
"""The documented members of a server."""

_ABSENT = (None,) * len(MEMBERS)


class Change(NamedTuple):
    """A leaf of the document that changed: JSON Pointer, before, after. ``None`` means absent."""

    path: str
    before: object
    after: object


def changes(before: Server | None, after: Server | None) -> tuple[Change, ...]:
    """What changed in the documented members, leaf by leaf, in their order, without ``/updated``.

    Removed leaves come last. A server that is not there, or is deleted, has no members.
    """
    had: dict[str, object] = {}
    has: dict[str, object] = {}
    old = values(before) if is_there(before) else _ABSENT
    new = values(after) if is_there(after) else _ABSENT
    # Most facts change one value or two: the others are told by identity, and not shown.
    for (name, show), was, now in zip(MEMBERS.items(), old, new, strict=True):
        if was is not now and was != now and name != "updated":
            if was is not None:
                _collect(f"/{name}", show(was), had)
            if now is not None:
                _collect(f"/{name}", show(now), has)
    return tuple(
        [
            Change(path, had.get(path), has.get(path))
            for path in (has if had.keys() == has.keys() else has | had)
            if had.get(path) != has.get(path)
        ]
    )


def _collect(path: str, value: object, found: dict[str, object]) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            _collect(f"{path}/{key.replace('~', '~0').replace('/', '~1')}", member, found)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _collect(f"{path}/{index}", member, found)
    else:
        found[path] = value
