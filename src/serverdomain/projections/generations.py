"""A view's generations of rows.

A generation is one table (``server_7``) with the position up to which it has followed the log and a
hash of the log's row there. One of them is live: the SQL view ``server`` shows it. A replay fills
the next one beside it. Numbers are never used again.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from serverdomain.projections import server_rows

_FIND = "SELECT generation, position, row_hash FROM generations WHERE"


class Generation(NamedTuple):
    """One table of rows, and how far it has followed the log."""

    number: int
    position: int
    row_hash: str | None

    @property
    def table(self) -> str:
        """The name of its table."""
        return f"server_{self.number}"


def create(connection: sqlite3.Connection) -> None:
    """Make the first generation, empty and live."""
    connection.execute(
        "CREATE TABLE generations (generation INTEGER PRIMARY KEY, live INTEGER NOT NULL,"
        " position INTEGER NOT NULL, row_hash TEXT)"
    )
    switch(connection, begin(connection))


def live(connection: sqlite3.Connection) -> Generation:
    """The generation that is shown; `sqlite3.DataError` where there is none."""
    row = connection.execute(f"{_FIND} live = 1").fetchone()
    if row is None:
        raise sqlite3.DataError("no generation is live")
    return Generation(*row)


def find(connection: sqlite3.Connection, number: int) -> Generation | None:
    """A generation; ``None`` once a later one was switched to."""
    row = connection.execute(f"{_FIND} generation = ?", (number,)).fetchone()
    return None if row is None else Generation(*row)


def begin(connection: sqlite3.Connection) -> int:
    """Make the table of the next generation, empty; gives back its number."""
    (number,) = connection.execute(
        "SELECT COALESCE(MAX(generation), 0) + 1 FROM generations"
    ).fetchone()
    server_rows.create(connection, f"server_{number}")
    connection.execute("INSERT INTO generations VALUES (?, 0, 0, NULL)", (number,))
    return int(number)


def move(connection: sqlite3.Connection, seen: Generation, to: int, row_hash: str | None) -> bool:
    """Say how far a generation has followed the log, in the transaction of its rows.

    False where it stands no longer as it was seen: somebody moved it, or switched to a later one.
    """
    moved = connection.execute(
        "UPDATE generations SET position = ?, row_hash = ? WHERE generation = ? AND position = ?",
        (to, row_hash, seen.number, seen.position),
    )
    return moved.rowcount == 1


def switch(connection: sqlite3.Connection, number: int) -> None:
    """Show a generation and drop those before it; open readers see the rows change at once."""
    connection.execute("DROP VIEW IF EXISTS server")
    connection.execute(f"CREATE VIEW server AS SELECT * FROM server_{number}")
    older = connection.execute(
        "SELECT generation FROM generations WHERE generation < ?", (number,)
    ).fetchall()
    for (old,) in older:
        connection.execute(f"DROP TABLE server_{old}")
    connection.execute("DELETE FROM generations WHERE generation < ?", (number,))
    connection.execute("UPDATE generations SET live = (generation = ?)", (number,))
