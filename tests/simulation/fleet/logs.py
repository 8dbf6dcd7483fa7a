"""The rows of a log, whole."""

from __future__ import annotations

from typing import Any

from serverdomain.store.log import Log
from tests.store.owner import tables_of

Rows = list[tuple[Any, ...]]


def rows(store: Log) -> tuple[Rows, Rows]:
    """All commands and all events, each column of them."""
    with tables_of(store) as connection:
        commands = connection.execute("SELECT * FROM commands ORDER BY command_id").fetchall()
        events = connection.execute("SELECT * FROM stored_events ORDER BY position").fetchall()
    return commands, events
