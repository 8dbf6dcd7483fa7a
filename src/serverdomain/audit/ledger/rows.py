"""The rows that the ledger stands on, as the log's tables have them, whatever somebody put there.

Every row of ``stored_events`` in order of position, other applications' too, with its command where
it has one. Nothing is decoded and nothing is expected of a value: it may have been tampered with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from serverdomain.audit.ledger.leaf import FIELDS, VERSION, Row

_AT_ONCE = 2048
_LARGEST = 2**63 - 1  # That SQLite can be asked for.
_OF_EVENTS = 6
_COLUMNS = ", ".join(
    f"{'e' if number < _OF_EVENTS else 'c'}.{name}" for number, name in enumerate(FIELDS)
)
_ROWS = (
    f"SELECT {VERSION}, {_COLUMNS}"
    " FROM stored_events e LEFT JOIN commands c ON c.command_id = e.command_id"
)


@contextmanager
def one_state(connection: sqlite3.Connection) -> Iterator[None]:
    """Read the log as it is at one moment, whoever appends meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.text_factory = str  # Whatever reading had come to.
        connection.execute("ROLLBACK")


def read(connection: sqlite3.Connection) -> Iterator[list[Row]]:
    """All rows, many at a time."""
    cursor = connection.execute(f"{_ROWS} ORDER BY e.position")
    done = 0
    while True:
        try:
            rows = cursor.fetchmany(_AT_ONCE)
        except (sqlite3.OperationalError, UnicodeDecodeError) as error:
            if getattr(error, "sqlite_errorcode", None) is not None:
                raise
            break  # Text that is no UTF-8: that row and the others are read as bytes.
        if not rows:
            return
        done += len(rows)
        yield rows
    with _any_text(connection):
        cursor = connection.execute(f"{_ROWS} ORDER BY e.position LIMIT -1 OFFSET ?", (done,))
        while rows := cursor.fetchmany(_AT_ONCE):
            yield rows


def at(connection: sqlite3.Connection, position: int) -> Row | None:
    """The row at a position."""
    if abs(position) > _LARGEST:
        return None
    with _any_text(connection):
        row = connection.execute(f"{_ROWS} WHERE e.position = ?", (position,)).fetchone()
    return None if row is None else tuple(row)


def count(connection: sqlite3.Connection, upto: int | None = None) -> int:
    """How many events there are, or how many at or below a position."""
    where = "" if upto is None else " WHERE position <= ?"
    (found,) = connection.execute(
        f"SELECT COUNT(*) FROM stored_events{where}", () if upto is None else (upto,)
    ).fetchone()
    return int(found)


def log_id(connection: sqlite3.Connection) -> str | None:
    """The id of the log; ``None`` where somebody made it none, or many."""
    with _any_text(connection):
        found = connection.execute("SELECT log_id FROM log LIMIT 2").fetchall()
    return str(found[0][0]) if len(found) == 1 else None


def commands_without_events(connection: sqlite3.Connection) -> list[int]:
    """The ids of commands that no event belongs to: the log itself makes none."""
    found = connection.execute(
        "SELECT command_id FROM commands c WHERE NOT EXISTS"
        " (SELECT 1 FROM stored_events e WHERE e.command_id = c.command_id) ORDER BY command_id"
    )
    return [command_id for (command_id,) in found]


@contextmanager
def _any_text(connection: sqlite3.Connection) -> Iterator[None]:
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = str
