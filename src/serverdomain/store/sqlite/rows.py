"""Many rows put into a table of a cache at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from math import nan
from typing import Any

Row = tuple[Any, ...]

# SQLite keeps it as NULL. Each `None` is offered to Python's adapters before it is bound, which
# takes five times as long.
_NULL = nan


def put_rows(connection: sqlite3.Connection, table: str, width: int, rows: Iterable[Row]) -> None:
    """Put whole rows of so many columns into a table, in place of those with the same keys."""
    marks = ", ".join("?" * width)
    connection.executemany(
        f"INSERT OR REPLACE INTO {table} VALUES ({marks})",
        ([_NULL if value is None else value for value in row] for row in rows),
    )
