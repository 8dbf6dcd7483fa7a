"""An event as a row of the timeline: when, who, under which request, from what to what.

Times are RFC 3339; ``data`` and ``changes`` (a list of ``[path, from, to]``) are JSON. Beside the
rows of a generation stand the servers to which they have led, so that the next page goes on from
there; a late fact has its server's later rows written again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from sqlite_utils import Database

from serverdomain.domain import moment
from serverdomain.domain.document import Change, changed, leaves
from serverdomain.domain.events import CommandRefused, MetadataReplaced, RebuildRequested
from serverdomain.domain.server import Server, evolve
from serverdomain.projections import feed
from serverdomain.projections.kept_rows import KeptRows
from serverdomain.projections.server_rows import read_row
from serverdomain.store import queries
from serverdomain.store.recorded import RecordedEvent
from serverdomain.store.sqlite import SQLiteStore

COLUMNS: dict[str, type] = {
    "position": int,
    "version": int,
    "event": str,
    "server_id": str,
    "occurred_at": str,
    "recorded_at": str,
    "user_id": str,
    "project_id": str,
    "request_id": str,
    "correlation_id": str,
    "caused_by": str,
    "rebuild_id": str,
    "image_id": str,
    "image_before": str,
    "image_after": str,
    "host_id": str,
    "ended": str,
    "keys_lost": str,
    "data": str,
    "changes": str,
}

_ALWAYS = ("event", "server_id", "occurred_at", "recorded_at", "user_id", "request_id", "data")
_BY_TIME = ("server_id", "user_id")
_IF_GIVEN = ("correlation_id", "caused_by", "rebuild_id", "image_id", "image_before")

REBUILDS = "(host_id IS NOT NULL OR ended IS NOT NULL)"
"""The rows at which a rebuild begins or ends."""

IMAGES = "(image_before IS NOT NULL OR image_after IS NOT NULL)"
"""The rows at which a server comes, goes, or has another image."""

KEYS_LOST = "keys_lost IS NOT NULL"
"""The rows at which a rebuild took metadata away."""

# All that the reports ask of these rows stands in an index of its own: the rows are far apart.
_REPORTS = {
    "rebuilds": (REBUILDS, "rebuild_id, server_id, occurred_at, ended, image_id, host_id"),
    "images": (IMAGES, "occurred_at, position, server_id, image_before, image_after"),
    "keys_lost": (KEYS_LOST, "occurred_at, server_id, user_id, request_id, keys_lost"),
}

_ENDS = {
    "RebuildCompleted": "completed",
    "RebuildFailed": "failed",
    "StateReset": "reset",
    "ServerDeleted": "deleted",
}

_encode = msgspec.json.Encoder(order="deterministic").encode


class Changes(NamedTuple):
    """The rows to write, and the servers to which they have led."""

    rows: list[tuple[Any, ...]]
    servers: list[Server]


class TimelineRows(KeptRows):
    """A row for each event, refusals among them."""

    name = "timeline"
    what = "timeline"
    application_id = 0x5D74696D
    schema = 2

    def create(self, connection: sqlite3.Connection, table: str) -> None:
        """Make the table of rows, without indexes, and that of servers."""
        database = Database(connection, execute_plugins=False)
        database.table(table).create(COLUMNS, pk="position", not_null=set(_ALWAYS))
        servers = database.table(_servers(table))
        servers.create({"id": str, "server": str}, pk="id", not_null={"server"})

    def drop(self, connection: sqlite3.Connection, table: str) -> None:
        """Take both away."""
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"DROP TABLE {_servers(table)}")

    def settle(self, connection: sqlite3.Connection, table: str) -> None:
        """Make the indexes, if there are none yet.

        Ids come in no order: kept while a whole log comes in, the indexes would be written again
        with every page.
        """
        if connection.execute(f"PRAGMA index_list ({table})").fetchone() is not None:
            return
        rows = Database(connection, execute_plugins=False).table(table)
        rows.create_index(["occurred_at"])
        rows.create_index(["request_id"])
        for column in _BY_TIME:
            rows.create_index([column, "occurred_at"])
        for column in _IF_GIVEN:
            connection.execute(
                f"CREATE INDEX idx_{table}_{column} ON {table} ({column})"
                f" WHERE {column} IS NOT NULL"
            )
        for report, (condition, columns) in _REPORTS.items():
            connection.execute(
                f"CREATE INDEX idx_{table}_{report} ON {table} ({columns}) WHERE {condition}"
            )

    def page(self, log: sqlite3.Connection, after: int, limit: int) -> feed.RecordedPage:
        """Events with all that the log says of them."""
        return feed.recorded(log, after, limit)

    def changes(
        self, store: SQLiteStore, rows: sqlite3.Connection, table: str, page: feed.RecordedPage
    ) -> Changes:
        """The rows of the page's events, and those that a late fact changes."""
        work = _Page(_servers_in(rows, table, {one.command.server_id for one in page.events}))
        for one in page.events:
            work.take(one)
        with store.connections.reading() as log:
            for server_id, first in work.anew.items():
                work.fold_anew(server_id, queries.history(log, server_id, page.last), first)
        return Changes(work.rows, list(work.servers.values()))

    def write(self, connection: sqlite3.Connection, table: str, changes: Changes) -> None:
        """Write them."""
        marks = ", ".join("?" * len(COLUMNS))
        connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", changes.rows)
        connection.executemany(
            f"INSERT OR REPLACE INTO {_servers(table)} VALUES (?, ?)",
            ((server.id, _encode(server).decode()) for server in changes.servers),
        )


TIMELINE = TimelineRows()
"""The rows of the timeline."""


class _Page:
    """A page at work: its rows, and the servers as they are meanwhile."""

    def __init__(self, servers: dict[str, Server]) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.servers = servers
        self.anew: dict[str, tuple[int, int]] = {}
        """Whose history is to be read again, and from which (occurred_at, position) on."""
        self._leaves: dict[str, dict[str, object]] = {}

    def take(self, one: RecordedEvent) -> None:
        server_id, at = one.command.server_id, one.command.occurred_at
        if isinstance(one.event, CommandRefused):
            self.rows.append(_row(one, (), None, None))
            return
        before = self.servers.get(server_id)
        # As for the current view: a late fact, or one of a server that has a past without a row.
        late = one.version > 1 if before is None else at < before.updated
        if late or server_id in self.anew:
            place = (at, one.position)
            self.anew[server_id] = min(place, self.anew.get(server_id, place))
            return
        after = evolve(before, one.event, at)
        old = self._leaves.get(server_id)
        new = leaves(after)
        changes = changed(leaves(before) if old is None else old, new)
        self.rows.append(_row(one, changes, before, after))
        self._leaves[server_id] = new
        if after is not None:
            self.servers[server_id] = after

    def fold_anew(
        self, server_id: str, history: Iterable[RecordedEvent], first: tuple[int, int]
    ) -> None:
        server: Server | None = None
        for one in history:
            at = one.command.occurred_at
            after = evolve(server, one.event, at)
            if (at, one.position) >= first:
                self.rows.append(_row(one, changed(leaves(server), leaves(after)), server, after))
            server = after
        if server is not None:
            self.servers[server_id] = server


def _row(
    one: RecordedEvent, changes: tuple[Change, ...], before: Server | None, after: Server | None
) -> tuple[Any, ...]:
    event, command = one.event, one.command
    name = one.topic.split(":")[1]
    refused = isinstance(event, CommandRefused)
    image_before, image_after = _images(changes)
    asked = event.members if isinstance(event, CommandRefused) else {}
    ended = _ended(name, before, after)
    return (
        one.position,
        None if refused else one.version,
        name,
        command.server_id,
        moment.exact(command.occurred_at),
        moment.exact(command.recorded_at),
        command.user_id,
        command.project_id,
        command.request_id,
        command.correlation_id,
        command.caused_by,
        ended or getattr(event, "rebuild_id", None) or asked.get("rebuild_id"),
        getattr(event, "image_id", None) or asked.get("image_id") or image_after,
        image_before,
        image_after,
        after.host_id if after is not None and isinstance(event, RebuildRequested) else None,
        None if ended is None else _ENDS[name],
        _keys_lost(one, before, after),
        _encode(event).decode(),
        _encode(changes).decode(),
    )


def _ended(name: str, before: Server | None, after: Server | None) -> str | None:
    """The id of the rebuild that an event ended, if it did."""
    if name not in _ENDS or before is None or before.rebuild is None:
        return None
    return before.rebuild.id if after is not None and after.rebuild is None else None


def _keys_lost(one: RecordedEvent, before: Server | None, after: Server | None) -> str | None:
    """The keys that a rebuild's request left out of the metadata, as a JSON array."""
    if not isinstance(one.event, MetadataReplaced) or before is None or after is None:
        return None
    if before.rebuild is None or before.rebuild.id != one.command.request_id:
        return None
    lost = sorted(before.metadata.keys() - after.metadata.keys())
    return _encode(lost).decode() if lost else None


def _images(changes: Iterable[Change]) -> tuple[Any, Any]:
    for change in changes:
        if change.path == "/image/id":
            return change.before, change.after
    return None, None


def _servers(table: str) -> str:
    return f"{table}_server"


def _servers_in(
    connection: sqlite3.Connection, table: str, server_ids: Iterable[str]
) -> dict[str, Server]:
    found = connection.execute(
        f"SELECT id, server FROM {_servers(table)} WHERE id IN (SELECT value FROM json_each(?))",
        (_encode(list(server_ids)).decode(),),
    )
    return {server_id: read_row(server) for server_id, server in found.fetchall()}
