"""What changed in a server's documented members: every list of changes shows this."""

from __future__ import annotations

from itertools import compress
from operator import is_not
from typing import NamedTuple

from serverdomain.domain.server import MEMBERS, Server, is_there

document = Server.to_dict
"""The documented members of a server."""

_MEMBERS = tuple(MEMBERS.items())
_PLACES = range(len(MEMBERS))
_ABSENT = (None,) * len(MEMBERS)

# Half the time of calling `Change`.
_change = tuple.__new__


class Change(NamedTuple):
    """A leaf of the document that changed: JSON Pointer, before, after. ``None`` means absent."""

    path: str
    before: object
    after: object


def changes(before: Server | None, after: Server | None) -> tuple[Change, ...]:
    """What changed in the documented members, leaf by leaf, in their order, without ``/updated``.

    Removed leaves come last. A server that is not there, or is deleted, has no members.
    """
    changed: list[Change] = []
    removed: list[Change] = []
    old = before.documented() if is_there(before) else _ABSENT
    new = after.documented() if is_there(after) else _ABSENT
    # Most facts change one value or two: the others are told by identity, and not shown.
    for place in compress(_PLACES, map(is_not, old, new)):
        (name, show), was, now = _MEMBERS[place], old[place], new[place]
        if was == now or name == "updated":
            continue
        if show is None:
            (removed if now is None else changed).append(_change(Change, (f"/{name}", was, now)))
            continue
        had: dict[str, object] = {}
        has: dict[str, object] = {}
        _collect(f"/{name}", was if was is None else show(was), had)
        _collect(f"/{name}", now if now is None else show(now), has)
        for path in has | had:
            if (one := had.get(path)) != (other := has.get(path)):
                told = changed if path in has else removed
                told.append(_change(Change, (path, one, other)))
    return (*changed, *removed)


def _collect(path: str, value: object, found: dict[str, object]) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            _collect(f"{path}/{key.replace('~', '~0').replace('/', '~1')}", member, found)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _collect(f"{path}/{index}", member, found)
    elif value is not None:
        found[path] = value
