"""One server, followed through the log: as it is, then as of each further event."""

from __future__ import annotations

import time
from collections.abc import Iterator

from serverdomain.domain.server import Server
from serverdomain.errors import NotFound
from serverdomain.store import queries
from serverdomain.store.sqlite import SQLiteStore

LOOK = 0.1
"""Seconds after which it is looked for what other processes appended."""


def follow(store: SQLiteStore, server_id: str, seconds: float | None) -> Iterator[Server]:
    """A server as it is, then after each event in the log's order, for so many seconds or for ever.

    Raises `NotFound` where it is not there, or once it is deleted.
    """
    until = None if seconds is None else time.monotonic() + seconds
    with store.connections.reading() as connection:
        head = queries.head(connection)
        states = [queries.stream(connection, server_id, head).server]
    while True:
        for server in states:
            if server is None or server.deleted:
                raise NotFound(f"server {server_id} is not there")
            yield server
        left = LOOK if until is None else min(LOOK, until - time.monotonic())
        if left <= 0:
            return
        store.wait_past(head, left)
        with store.connections.reading() as connection:
            seen, head = head, queries.head(connection)
            states = [
                queries.stream(connection, server_id, position).server
                for position in queries.positions_after(connection, server_id, seen)
                if position <= head
            ]
