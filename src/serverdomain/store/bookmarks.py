"""How far a reaction has come in the log: no fact, so it may be updated.

It stands in the log's own store, so that every process that may run the reaction finds it, and a
log that is put back from a backup brings it back with it.
"""

from __future__ import annotations

from msgspec import Struct


class Bookmark(Struct, frozen=True):
    """A reaction's place: it was told of everything up to ``position``.

    Where it stopped, ``stopped_at`` is the position of the event that stopped it and ``why`` says
    what came of it.
    """

    name: str
    position: int
    stopped_at: int | None = None
    why: str | None = None
