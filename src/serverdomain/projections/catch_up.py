"""A view to the head of its log, a batch of events at a time.

Generation, position and rows are read and written in one transaction that holds the view's write
lock from its beginning, so that two processes never apply one event twice and a kill loses a batch
whole.
"""

from __future__ import annotations

import logging
import sqlite3

from msgspec.structs import replace

from serverdomain.domain.server import Server, evolve
from serverdomain.errors import UnknownEvent
from serverdomain.projections import feed, replay, server_rows
from serverdomain.projections.view_file import Generation, ViewFile
from serverdomain.store import queries
from serverdomain.store.sqlite import SQLiteStore

_log = logging.getLogger("serverdomain")


def catch_up(store: SQLiteStore, view: ViewFile) -> None:
    """Follow the log to its head with the rows that are shown."""
    while True:
        with view.connections.reading() as connection:
            live = view.live(connection)
        if not follows(store, live):
            _log.warning(
                "%s stands at position %s of a log that has another row there, as one put back "
                "from a backup has: replayed from zero",
                view.place,
                live.position,
            )
            replay.replay(store, view)
            continue
        with store.connections.reading() as connection:
            behind = queries.head(connection) - live.position
        if behind <= 0:
            return
        with view.connections.writing() as connection:
            # Another process may have been here since we looked.
            live = view.live(connection)
            stopped_by = advance(store, view, connection, live) if follows(store, live) else None
        if stopped_by is not None:
            raise stopped_by


def follows(store: SQLiteStore, generation: Generation) -> bool:
    """Whether the log still has the row on which a generation stands."""
    if generation.position == 0:
        return True
    with store.connections.reading() as connection:
        return queries.row_hash(connection, generation.position) == generation.row_hash


def advance(
    store: SQLiteStore, view: ViewFile, connection: sqlite3.Connection, generation: Generation
) -> UnknownEvent | None:
    """Apply one page of the log to a generation; gives back the event that it may not pass."""
    page = feed.page(store, generation.position)
    if page.last > generation.position:
        _apply(store, connection, generation.table, page)
        with store.connections.reading() as log:
            row_hash = queries.row_hash(log, page.last)
        view.moved(connection, generation.number, page.last, row_hash)
    return page.stopped_by


def _apply(store: SQLiteStore, connection: sqlite3.Connection, table: str, page: feed.Page) -> None:
    servers: dict[str, Server | None] = {}
    versions: dict[str, int] = {}
    anew: set[str] = set()
    for _, server_id, version, occurred_at, event in page.events:
        versions[server_id] = version
        if server_id in anew:
            continue
        if server_id not in servers:
            servers[server_id] = server_rows.server_in(connection, table, server_id)
        server = servers[server_id]
        # A late fact takes its place among the others; and a server without a row may have a past,
        # deleted or not yet begun. Both are folded from the log again.
        is_late = server is not None and occurred_at < server.updated
        if is_late or (server is None and version > 1):
            anew.add(server_id)
            continue
        servers[server_id] = evolve(server, event, occurred_at)
    with store.connections.reading() as log:
        for server_id in anew:
            servers[server_id] = queries.stream(log, server_id, page.last).server
    there = {
        server_id: server
        for server_id, server in servers.items()
        if server is not None and not server.deleted
    }
    server_rows.write(
        connection,
        table,
        (replace(server, version=versions[server_id]) for server_id, server in there.items()),
    )
    server_rows.remove(connection, table, servers.keys() - there.keys())
