"""How far each reaction has come in the log: no fact, so it may be updated.

It stands in the store's own file, so that every process that may run a reaction finds it, and a log
that is put back from a backup brings it back with it.
"""

from __future__ import annotations

import sqlite3

from msgspec import Struct

_COLUMNS = "name, position, stopped_at, why"


class Bookmark(Struct, frozen=True):
    """A reaction's place: it has done all up to ``position``.

    Where its handler kept failing, ``stopped_at`` is the position of the event and ``why`` says
    what came of it.
    """

    name: str
    position: int
    stopped_at: int | None = None
    why: str | None = None


def bookmark(connection: sqlite3.Connection, name: str) -> Bookmark | None:
    """The place of a reaction; ``None`` for one that never ran here."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM reactions WHERE name = ?", (name,)).fetchone()
    return None if row is None else Bookmark(*row)


def bookmarks(connection: sqlite3.Connection) -> list[Bookmark]:
    """The places of all reactions, by name."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM reactions ORDER BY name").fetchall()
    return [Bookmark(*row) for row in rows]


def put(connection: sqlite3.Connection, place: Bookmark) -> None:
    """Keep a reaction's place, in the caller's transaction."""
    connection.execute(
        f"INSERT INTO reactions ({_COLUMNS}) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        " position = excluded.position, stopped_at = excluded.stopped_at, why = excluded.why",
        (place.name, place.position, place.stopped_at, place.why),
    )
