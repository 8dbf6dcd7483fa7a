"""How far a reaction has come in the log: no fact, so it may be updated.

It is kept in the log's own store. So every process that may run the reaction finds it, and a backup
restores it with the log.
"""

from __future__ import annotations

from msgspec import Struct


class Bookmark(Struct, frozen=True):
    """A reaction's bookmark: it was told of everything up to ``position``.

    If it has stopped, ``stopped_at`` is the position of the event that stopped it, and ``why`` says
    what went wrong.
    """

    name: str
    position: int
    stopped_at: int | None = None
    why: str | None = None
