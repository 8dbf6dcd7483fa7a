"""Which server somebody means: by its id, by the beginning of it, or by its name.

Whatever fits more than one server is refused, and a deleted one counts: its history is asked for
by name, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from serverdomain.domain import limits
from serverdomain.errors import InvalidInput, NotFound, Refused
from serverdomain.projections.server_view import MOST_NAMED, Named, ServerView
from serverdomain.store.log import Log

SHORTEST = 4
"""The fewest hexadecimal digits that name a server by the beginning of its id."""

_HEX = re.compile(f"[0-9a-f]{{{SHORTEST},31}}")
_TOLD = 10


def find(
    log: Log,
    view: Callable[[], ServerView],
    named: str,
    request_id: str | None = None,
    whole: bool = False,
) -> str:
    """The id of the one server that is meant; see `Servers.find`.

    The view is asked for only where it is needed.
    """
    limits.text("server", named)
    try:
        return limits.canonical_uuid("server", named)
    except InvalidInput:
        beginning = None if whole else beginning_of_id(named)
    if request_id is not None:
        recorded = _recorded_for(log, request_id, named, beginning)
        if recorded is not None:
            return recorded
    found = view().named(named, beginning)
    if len(found) > 1:
        raise Refused("name", _several(named, found))
    if not found:
        also = "" if whole else f", nor does an id begin so with {SHORTEST} digits or more"
        raise NotFound(f"no server has the id or name {limits.shown(named)}{also}")
    return found[0].id


def beginning_of_id(text: str) -> str | None:
    """The beginning of an id in its canonical form, if this is one, with or without dashes."""
    lower = text.lower()
    digits = lower.replace("-", "")
    if not _HEX.fullmatch(digits):
        return None
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    dashed = "-".join(filter(None, parts))
    whole_part = len(dashed) in (8, 13, 18, 23)
    return dashed if lower.removesuffix("-" * whole_part) in (digits, dashed) else None


def _recorded_for(log: Log, request_id: str, named: str, beginning: str | None) -> str | None:
    """The server of a recorded command, if it could be named so when the command came."""
    with log.reading() as reading:
        command = reading.command(request_id)
        if command is None:
            return None
        if beginning is not None and command.server_id.startswith(beginning):
            return command.server_id
        before = min(one.position for one in reading.events_of(command)) - 1
        server = reading.history(command.server_id, position=before).server
    return command.server_id if server is not None and server.name == named else None


def _several(named: str, found: Sequence[Named]) -> str:
    told = [f"{one.id} ({limits.shown(one.name)}, {one.status or 'deleted'})" for one in found]
    more = ", …" if len(told) > _TOLD else ""
    number = f"{len(told)}{' or more' if len(told) == MOST_NAMED else ''}"
    return (
        f"{limits.shown(named)} fits {number} servers, the id of one is allowed: "
        f"{', '.join(told[:_TOLD])}{more}"
    )
