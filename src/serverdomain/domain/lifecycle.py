"""Which rebuild a fact asked for or ended, and how.

The fold knows which rebuild is under way; so what a fact did is read from the server before and
after it, and nobody else has to know which events end a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from serverdomain.domain.events import (
    Event,
    RebuildCompleted,
    RebuildFailed,
    RebuildRequested,
    ServerDeleted,
    StateReset,
)
from serverdomain.domain.history import Fact
from serverdomain.domain.server import Server, evolve

End = Literal["completed", "failed", "reset", "replaced", "deleted"]
"""How a rebuild ended; ``replaced`` is by another one that was asked for before it had ended."""

_ENDS: dict[type[Event], End] = {
    RebuildRequested: "replaced",
    RebuildCompleted: "completed",
    RebuildFailed: "failed",
    StateReset: "reset",
    ServerDeleted: "deleted",
}


class Turn(NamedTuple):
    """What a fact did: the id of the rebuild that it asked for, the id of the one that it ended.

    ``how`` says how that one ended. All are ``None`` where it did neither.
    """

    asked: str | None = None
    ended: str | None = None
    how: End | None = None


_NOTHING = Turn()


def turn(before: Server | None, event: Event, after: Server | None) -> Turn:
    """What an event did to the rebuilds of a server, from the server before and after it.

    A rebuild that is asked for again while it is under way goes on.
    """
    was = before.rebuild if before is not None else None
    now = after.rebuild if after is not None else None
    if was is now:
        return _NOTHING
    asked = now.id if now is not None else None
    if was is None:
        return Turn(asked)
    if was.id == asked:
        return _NOTHING
    return Turn(asked, was.id, _ENDS[type(event)])


def turns(facts: Iterable[Fact]) -> Iterator[tuple[Fact, Turn]]:
    """Each fact of a history, given in order of occurrence, with what it did."""
    server: Server | None = None
    for fact in facts:
        after = evolve(server, fact.event, fact.occurred_at)
        yield fact, turn(server, fact.event, after)
        server = after
