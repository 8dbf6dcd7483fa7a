"""An event as a row of the timeline: when, who, under which request, from what to what.

Times are RFC 3339; ``data`` and ``changes`` (a list of ``[path, from, to]``) are JSON. A second
table holds the servers after these rows, from which the next page goes on. After a late fact, the
later rows of its server are written again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlite_utils import Database

from serverdomain.domain.document import Change, changes
from serverdomain.domain.events import CommandRefused, Event, MetadataReplaced
from serverdomain.domain.lifecycle import turn
from serverdomain.domain.moment import exact
from serverdomain.domain.server import Server, evolve
from serverdomain.projections.kept_rows import KeptRows
from serverdomain.projections.server_rows import put_rows, read_row
from serverdomain.store.in_order import in_order, states
from serverdomain.store.log import Log, Page, Reading
from serverdomain.store.recorded import RecordedEvent

COLUMNS: dict[str, type] = {
    "position": int,
    "version": int,
    "event": str,
    "server_id": str,
    "occurred_at": str,
    "recorded_at": str,
    "user_id": str,
    "project_id": str,
    "server_project_id": str,
    "request_id": str,
    "correlation_id": str,
    "caused_by": str,
    "rebuild_id": str,
    "image_id": str,
    "image_before": str,
    "image_after": str,
    "host_id": str,
    "ended": str,
    "replaced": str,
    "keys_lost": str,
    "data": str,
    "changes": str,
}

_ALWAYS = ("event", "server_id", "occurred_at", "recorded_at", "user_id", "request_id", "data")
_BY_TIME = ("server_id", "user_id", "server_project_id")
_IF_GIVEN = ("correlation_id", "caused_by", "rebuild_id", "image_id", "image_before")

REBUILDS = "(host_id IS NOT NULL OR ended IS NOT NULL)"
"""The rows where a rebuild begins or ends."""

IMAGES = "(image_before IS NOT NULL OR image_after IS NOT NULL)"
"""The rows where a server appears, goes, or gets another image."""

REPLACED = "replaced IS NOT NULL"
"""The rows where a rebuild replaces another one, whose id is in ``replaced``."""

KEYS_LOST = "keys_lost IS NOT NULL"
"""The rows where a rebuild removes metadata."""

# An index holds all columns that a report needs: the rows themselves are far apart.
_REPORTS = {
    "rebuilds": (
        REBUILDS,
        "rebuild_id, server_id, occurred_at, ended, image_id, host_id, user_id, server_project_id",
    ),
    "replaced": (REPLACED, "replaced, server_id, occurred_at"),
    "images": (
        IMAGES,
        "occurred_at, position, server_id, image_before, image_after, server_project_id",
    ),
    "keys_lost": (
        KEYS_LOST,
        "occurred_at, server_id, user_id, request_id, keys_lost, server_project_id",
    ),
}

_ROW = 1_000
"""About what a row weighs beside its JSON, in bytes."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def data_of(event: Event) -> str:
    """The members of an event, as JSON, as in its row."""
    return _encode(event).decode()


class Changes(NamedTuple):
    """The rows to write, the servers after them by id, and what they weigh."""

    rows: list[tuple[Any, ...]]
    servers: dict[str, Server]
    weight: int


class TimelineRows(KeptRows):
    """A row for each event, including refusals."""

    name = "timeline"
    what = "timeline"
    application_id = 0x5D74696D
    schema = 4
    # Each index is made by a scan of all rows, which takes half as many calls of the system. A row
    # that comes alone pays for it: its indexes' pages are written whole.
    page_size = 8192

    def create(self, connection: sqlite3.Connection, table: str) -> None:
        """Make the table of rows, without indexes, and the one of servers."""
        database = Database(connection, execute_plugins=False)
        database.table(table).create(COLUMNS, pk="position", not_null=set(_ALWAYS))
        servers = database.table(servers_of(table))
        servers.create({"id": str, "server": str}, pk="id", not_null={"server"})

    def drop(self, connection: sqlite3.Connection, table: str) -> None:
        """Drop both."""
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"DROP TABLE {servers_of(table)}")

    def settle(self, connection: sqlite3.Connection, table: str) -> None:
        """Make the indexes, if there are none yet.

        Ids come in no order, so during a replay every page would rewrite the indexes.
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

    def page(self, log: Reading, after: int, limit: int) -> Page[RecordedEvent]:
        """A page of events, with everything that the log says about them."""
        return log.events(after, limit)

    def changes(
        self,
        log: Log,
        rows: sqlite3.Connection,
        table: str,
        page: Page[RecordedEvent],
        before: Changes | None,
    ) -> Changes:
        """The rows of the page's events, and the older rows that a late fact changes."""
        earlier, servers, weight = before or Changes([], {}, 0)
        # Of a server that begins in the page there is no row.
        begun = {one.server_id for one in page.events if one.version == 1 and not one.is_refusal}
        met = {one.command.server_id for one in page.events} - begun
        known = {one: servers[one] for one in met & servers.keys()}
        work = _Page(known | _servers_in(rows, table, met - known.keys()))
        for one in page.events:
            work.take(one)
        with log.reading() as reading:
            for server_id, first in work.anew.items():
                work.fold_anew(server_id, in_order(reading, server_id, page.last), first)
        weight += sum(_ROW + len(row[-2]) + len(row[-1]) for row in work.rows)
        weight += sum(len(_encode(work.after[one])) for one in work.after if one not in servers)
        earlier += work.rows
        servers |= work.after
        return Changes(earlier, servers, weight)

    def weight(self, changes: Changes) -> int:
        """What rows and servers weigh."""
        return changes.weight

    def write(self, connection: sqlite3.Connection, table: str, changes: Changes) -> None:
        """Write them."""
        put_rows(connection, table, len(COLUMNS), changes.rows)
        connection.executemany(
            f"INSERT OR REPLACE INTO {servers_of(table)} VALUES (?, ?)",
            ((one, _encode(changes.servers[one]).decode()) for one in sorted(changes.servers)),
        )


TIMELINE = TimelineRows()
"""The rows of the timeline."""


class _Page:
    """A page in progress: its rows, and the servers after them."""

    def __init__(self, there: dict[str, Server]) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.after: dict[str, Server] = {}
        self.anew: dict[str, tuple[int, int]] = {}
        """Servers to fold again, each with the (occurred_at, position) of its first new row."""
        self._there = there

    def take(self, one: RecordedEvent) -> None:
        server_id, at = one.command.server_id, one.command.occurred_at
        before = self.after.get(server_id) or self._there.get(server_id)
        if one.is_refusal:
            self.rows.append(row(one, (), before, before))
            return
        version, latest = (0, at) if before is None else (before.version, before.updated_micros)
        if server_id in self.anew or one.version != version + 1 or at < latest:
            first = (at, one.position)
            self.anew[server_id] = min(first, self.anew.get(server_id, first))
            return
        after = evolve(before, one.event, at)
        self.rows.append(row(one, changes(before, after), before, after))
        if after is not None:
            first_position = after.first_position or one.position
            self.after[server_id] = replace(
                after, version=one.version, first_position=first_position
            )

    def fold_anew(
        self, server_id: str, recorded: Iterable[RecordedEvent], first: tuple[int, int]
    ) -> None:
        for one, before, after in states(recorded):
            if (one.occurred_at, one.position) >= first:
                self.rows.append(row(one, changes(before, after), before, after))
            if after is not None:
                self.after[server_id] = after


def row(
    one: RecordedEvent, changes: tuple[Change, ...], before: Server | None, after: Server | None
) -> tuple[Any, ...]:
    """The row of an event that led from one server to another, in the order of `COLUMNS`.

    Where the server is not known, its project is taken to be that of who asked.
    """
    event, command = one.event, one.command
    occurred, recorded = command.occurred_at, command.recorded_at
    occurred_at = exact(occurred)
    image_before, image_after = _images(changes)
    asked = event.members if type(event) is CommandRefused else {}
    asked_for, ended, how = turn(before, event, after)
    replaced = ended if how == "replaced" else None
    rebuild_id = asked_for or ended or getattr(event, "rebuild_id", None)
    return (
        one.position,
        None if type(event) is CommandRefused else one.version,
        one.name,
        command.server_id,
        occurred_at,
        occurred_at if recorded == occurred else exact(recorded),
        command.user_id,
        command.project_id,
        command.project_id if after is None else after.project_id,
        command.request_id,
        command.correlation_id,
        command.caused_by,
        rebuild_id or asked.get("rebuild_id"),
        getattr(event, "image_id", None) or asked.get("image_id") or image_after,
        image_before,
        image_after,
        after.host_id if after is not None and asked_for is not None else None,
        None if replaced else how,
        replaced,
        _keys_lost(one, before, after),
        data_of(event),
        _encode(changes).decode(),
    )


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


def servers_of(table: str) -> str:
    """The table of the servers after a table of rows."""
    return f"{table}_server"


def _servers_in(
    connection: sqlite3.Connection, table: str, server_ids: Iterable[str]
) -> dict[str, Server]:
    found = connection.execute(
        f"SELECT id, server FROM {servers_of(table)} WHERE id IN (SELECT value FROM json_each(?))",
        (_encode(list(server_ids)).decode(),),
    )
    return {server_id: read_row(server) for server_id, server in found.fetchall()}
