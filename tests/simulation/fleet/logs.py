"""The rows of a log, whole."""

from __future__ import annotations

from typing import Any

from serverdomain.store.sqlite import SQLiteLog

Rows = list[tuple[Any, ...]]


def rows(store: SQLiteLog) -> tuple[Rows, Rows]:
    """All commands and all events, each column of them."""
    with store.connections.reading() as connection:
        commands = connection.execute("SELECT * FROM commands ORDER BY command_id").fetchall()
        events = connection.execute("SELECT * FROM stored_events ORDER BY position").fetchall()
    return commands, events
