"""A view's generations of rows.

A generation is a table (``server_7``), the position up to which it has followed the log, and a hash
of the log's row there. One is live: the SQL view ``server`` shows it. A replay fills the next one
beside it. Numbers are never reused. `KeptRows` say what the rows are.
"""

from __future__ import annotations

import sqlite3
from types import NoneType
from typing import Any, NamedTuple

from serverdomain.projections.kept_rows import KeptRows

_ROWS = {(int, int, str), (int, int, NoneType)}
_FIND = "SELECT generation, position, row_hash FROM generations WHERE"


class Generation(NamedTuple):
    """A table of rows, and how far it has followed the log."""

    number: int
    position: int
    row_hash: str | None
    kept: KeptRows

    @property
    def table(self) -> str:
        """The name of its table."""
        return f"{self.kept.name}_{self.number}"


def create(connection: sqlite3.Connection, kept: KeptRows) -> None:
    """Make the first generation, empty and live."""
    connection.execute(
        "CREATE TABLE generations (generation INTEGER PRIMARY KEY, live INTEGER NOT NULL,"
        " position INTEGER NOT NULL, row_hash TEXT)"
    )
    switch(connection, begin(connection, kept), kept)


def live(connection: sqlite3.Connection, kept: KeptRows) -> Generation:
    """The live generation. Raises `sqlite3.DataError` if there is none that can be read."""
    row = connection.execute(f"{_FIND} live = 1").fetchone()
    if row is None:
        raise sqlite3.DataError("no generation is live")
    return _generation(row, kept)


def find(connection: sqlite3.Connection, number: int, kept: KeptRows) -> Generation | None:
    """A generation by its number; ``None`` once a later one is live."""
    row = connection.execute(f"{_FIND} generation = ?", (number,)).fetchone()
    return None if row is None else _generation(row, kept)


def _generation(row: tuple[Any, ...], kept: KeptRows) -> Generation:
    if tuple(map(type, row)) not in _ROWS:
        raise sqlite3.DataError("where a generation stands cannot be read")
    number, position, row_hash = row
    return Generation(number, position, row_hash, kept)


def begin(connection: sqlite3.Connection, kept: KeptRows) -> int:
    """Make an empty table for the next generation, and return its number."""
    (number,) = connection.execute(
        "SELECT COALESCE(MAX(generation), 0) + 1 FROM generations"
    ).fetchone()
    kept.create(connection, f"{kept.name}_{number}")
    connection.execute("INSERT INTO generations VALUES (?, 0, 0, NULL)", (number,))
    return int(number)


def move(connection: sqlite3.Connection, seen: Generation, to: int, row_hash: str | None) -> bool:
    """Note how far a generation has followed the log, in the transaction of its rows.

    False if it is not as it was ``seen``: somebody moved it, or switched to a later one.
    """
    moved = connection.execute(
        "UPDATE generations SET position = ?, row_hash = ? WHERE generation = ? AND position = ?",
        (to, row_hash, seen.number, seen.position),
    )
    return moved.rowcount == 1


def switch(connection: sqlite3.Connection, number: int, kept: KeptRows) -> None:
    """Make a generation live and drop older ones; open readers see the new rows at once."""
    connection.execute(f"DROP VIEW IF EXISTS {kept.name}")
    connection.execute(f"CREATE VIEW {kept.name} AS SELECT * FROM {kept.name}_{number}")
    older = connection.execute(
        "SELECT generation FROM generations WHERE generation < ?", (number,)
    ).fetchall()
    for (old,) in older:
        kept.drop(connection, f"{kept.name}_{old}")
    connection.execute("DELETE FROM generations WHERE generation < ?", (number,))
    connection.execute("UPDATE generations SET live = (generation = ?)", (number,))
