"""A view to the head of its log, a page of events at a time.

A page is read and folded without a lock. Rows and position are written in one transaction, if the
generation still stands where it was seen: so two processes never apply one event twice, a kill
loses a page whole, and whoever else writes seldom waits.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from serverdomain.domain.server import Server, evolve
from serverdomain.errors import UnknownEvent
from serverdomain.projections import feed, generations, replay, server_rows
from serverdomain.projections.generations import Generation
from serverdomain.projections.view_file import ViewFile
from serverdomain.store import queries
from serverdomain.store.sqlite import SQLiteStore

_log = logging.getLogger("serverdomain")


class Step(NamedTuple):
    """What the next page does to a generation's rows, the position that it leads to, and the head.

    ``stopped_by`` is the event behind that position which this release may not pass, if any.
    """

    seen: Generation
    servers: list[Server]
    gone: list[str]
    position: int
    row_hash: str | None
    head: int
    stopped_by: UnknownEvent | None

    @property
    def is_last(self) -> bool:
        """Whether there is nothing behind it that could be read now."""
        return self.position >= self.head or self.stopped_by is not None


def catch_up(store: SQLiteStore, view: ViewFile, page: int = feed.PAGE) -> None:
    """Follow the log to its head with the rows that are shown, ``page`` events at a time."""
    while True:
        with view.reading() as rows:
            live = generations.live(rows)
            step = next_step(store, rows, live, page)
        if step is None:
            _log.warning(
                "%s stands at position %s of a log that has another row there, as one put back "
                "from a backup has: replayed from zero",
                view.place,
                live.position,
            )
            replay.replay(store, view, page=page)
            continue
        if step.position > live.position:
            with view.writing() as connection:
                if not take(connection, step):
                    continue
        if step.stopped_by is not None:
            raise step.stopped_by
        if step.is_last:
            return


def follows(log: sqlite3.Connection, generation: Generation) -> bool:
    """Whether the log still has the row on which a generation stands."""
    if generation.position == 0:
        return True
    found = queries.row_hash(log, generation.position)
    return found is not None and found == generation.row_hash


def next_step(
    store: SQLiteStore, rows: sqlite3.Connection, generation: Generation, page: int
) -> Step | None:
    """What comes next for a generation; ``None`` where the log is not the one that it follows.

    ``rows`` shows the view as it was when the generation was read.
    """
    with store.connections.reading() as log:
        if not follows(log, generation):
            return None
        head = queries.head(log)
        events, last, stopped_by = feed.page(log, generation.position, page)
        row_hash = queries.row_hash(log, last)
    there = server_rows.servers_in(rows, generation.table, {event.server_id for event in events})
    servers = fold_page(store, there, events, last)
    return Step(
        generation,
        [server for server in servers.values() if server and not server.deleted],
        [server_id for server_id, server in servers.items() if not server or server.deleted],
        last,
        row_hash,
        head,
        stopped_by,
    )


def take(connection: sqlite3.Connection, step: Step) -> bool:
    """Take a step, in the caller's transaction; False where the generation has moved since."""
    if not generations.move(connection, step.seen, step.position, step.row_hash):
        return False
    server_rows.write(connection, step.seen.table, step.servers)
    server_rows.remove(connection, step.seen.table, step.gone)
    return True


def fold_page(
    store: SQLiteStore,
    there: Mapping[str, Server | None],
    events: Sequence[feed.FeedEvent],
    last: int,
) -> dict[str, Server | None]:
    """The servers that a page of events, up to position ``last``, leads to, by their ids.

    ``there`` has those that were there before it; who is not named in it is looked for in the log.
    """
    servers: dict[str, Server | None] = {}
    versions: dict[str, int] = {}
    anew: set[str] = set()
    for _, server_id, version, occurred_at, event in events:
        server = servers[server_id] if server_id in servers else there.get(server_id)
        # A late fact takes its place among the others; and a server without a row may have a past,
        # deleted or not yet begun. Both are folded from the log again.
        if version > 1 if server is None else occurred_at < server.updated:
            anew.add(server_id)
        servers[server_id] = evolve(server, event, occurred_at)
        versions[server_id] = version
    with store.connections.reading() as log:
        for server_id in anew:
            servers[server_id] = queries.stream(log, server_id, last).server
    for server_id in servers.keys() - anew:
        server = servers[server_id]
        servers[server_id] = server and replace(server, version=versions[server_id])
    return servers
