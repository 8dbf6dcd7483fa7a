"""How a database is made and emptied: a file, and a write-ahead log beside it."""

from __future__ import annotations

import sqlite3

from serverdomain.errors import StoreError
from serverdomain.store.sqlite.connections import Connections
from serverdomain.store.sqlite.faults import store_error
from serverdomain.store.sqlite.opened_file import names


def make(connections: Connections) -> None:
    """Make an empty file, so that the database can be opened; in memory, do nothing."""
    if connections.place.path is None:
        return
    try:
        connections.open.drop(connections.open.connect("rwc"))
    except sqlite3.Error as error:
        raise store_error(error, connections.place) from error


def use_wal(connections: Connections) -> None:
    """Switch to the write-ahead log. SQLite does not wait for a lock here, so we do.

    A file with a second name has another such log under it, and stays as it is.
    """
    if connections.place.path is None or names(connections.place) > 1:
        return
    with connections.reading() as connection:
        (mode,) = connections.once_unlocked(connection, "PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"{connections.place} lies where SQLite cannot keep a write-ahead log")
    connections.open.in_wal()


def drop_everything(connection: sqlite3.Connection) -> None:
    """Empty a database, in the caller's transaction: no table, no view, no schema version."""
    for kind in ("view", "table"):
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite_%'", (kind,)
        ).fetchall()
        for (name,) in names:
            connection.execute(f'DROP {kind} "{name}"')
    connection.execute("PRAGMA user_version = 0")
