"""A server as a row: columns to query by, and the whole folded server.

Times are RFC 3339; ``addresses``, ``metadata`` and ``server`` are JSON.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from math import nan
from typing import Any, NamedTuple

import msgspec

from serverdomain.domain import moment
from serverdomain.domain.history import Fact
from serverdomain.domain.server import Server, is_there
from serverdomain.projections.kept_rows import KeptRows
from serverdomain.projections.server_page import fold_page
from serverdomain.store.log import Log, Page, Reading

COLUMNS: dict[str, type] = {
    "id": str,
    "name": str,
    "status": str,
    "image_id": str,
    "flavor_id": str,
    "project_id": str,
    "user_id": str,
    "host_id": str,
    "access_ipv4": str,
    "access_ipv6": str,
    "addresses": str,
    "metadata": str,
    "progress": int,
    "disk_config": str,
    "locked_by": str,
    "rebuild_id": str,
    "fault": str,
    "created": str,
    "updated": str,
    "version": int,
    "first_position": int,
    "server": str,
}
# In the order of lists, so that a page is read from where it begins.
_NEWEST_FIRST = ("-created", "-first_position")
# All that a list is searched and sorted by, so that no row is read that is not shown.
_LISTED = ("name", "status", "image_id", "flavor_id", "project_id", "updated", "id")
INDEXED = (
    ("status",),
    ("name",),
    ("image_id",),
    ("flavor_id",),
    ("project_id", *_NEWEST_FIRST),
    (*_NEWEST_FIRST, *_LISTED),
)

# SQLite keeps it as NULL. Each `None` is offered to Python's adapters before it is bound, which
# takes five times as long.
_NULL = nan

_encode = msgspec.json.Encoder(order="deterministic").encode

_decode = msgspec.json.Decoder(Server).decode


def read_row(server: str) -> Server:
    """Read the column ``server`` of a row. Raises `sqlite3.DataError` if it holds no server."""
    try:
        return _decode(server)
    except (msgspec.DecodeError, TypeError) as error:
        raise sqlite3.DataError(f"a row holds no server: {error}") from error


def row(server: Server) -> tuple[Any, ...]:
    """The row of a server, in the order of `COLUMNS`."""
    return (
        server.id,
        server.name,
        server.status,
        server.image_id,
        server.flavor_id,
        server.project_id,
        server.user_id,
        server.host_id,
        server.access_ipv4,
        server.access_ipv6,
        _encode(server.addresses).decode(),
        _encode(server.metadata).decode(),
        server.progress,
        server.disk_config,
        server.locked_by,
        None if server.rebuild is None else server.rebuild.id,
        None if server.fault is None else server.fault.message,
        moment.exact(server.created_micros),
        moment.exact(server.updated_micros),
        server.version,
        server.first_position,
        _encode(server).decode(),
    )


def gone(table: str) -> str:
    """The table of the last names of deleted servers, beside a table of rows."""
    return f"gone_{table}"


def create(connection: sqlite3.Connection, table: str) -> None:
    """Make an empty table of rows, without indexes."""
    # Imported only here, because it takes half a second and a table is seldom made.
    from sqlite_utils import Database

    rows = Database(connection, execute_plugins=False).table(table)
    rows.create(COLUMNS, pk="id", not_null={"id", "status", "server"})


def create_indexes(connection: sqlite3.Connection, table: str) -> None:
    """Make the indexes of a table of rows."""
    from sqlite_utils import Database
    from sqlite_utils.db import DescIndex

    rows = Database(connection, execute_plugins=False).table(table)
    for columns in INDEXED:
        rows.create_index(
            [DescIndex(name[1:]) if name.startswith("-") else name for name in columns]
        )


def servers_in(
    connection: sqlite3.Connection, table: str, server_ids: Iterable[str]
) -> dict[str, Server]:
    """The servers of these ids that a table has rows of, by id."""
    found = connection.execute(
        f"SELECT id, server FROM {table} WHERE id IN (SELECT value FROM json_each(?))",
        (_encode(list(server_ids)).decode(),),
    )
    return {server_id: read_row(server) for server_id, server in found.fetchall()}


def put_rows(
    connection: sqlite3.Connection, table: str, width: int, rows: Iterable[tuple[Any, ...]]
) -> None:
    """Put whole rows of so many columns into a table, in place of those with the same keys."""
    # Not by sqlite-utils: it inspects each value, which would take a third of a replay.
    marks = ", ".join("?" * width)
    connection.executemany(
        f"INSERT OR REPLACE INTO {table} VALUES ({marks})",
        ([_NULL if value is None else value for value in row] for row in rows),
    )


def remove(connection: sqlite3.Connection, table: str, server_ids: Iterable[str]) -> None:
    """Delete the rows of these servers from a table."""
    connection.executemany(
        f"DELETE FROM {table} WHERE id = ?", ((server_id,) for server_id in server_ids)
    )


class Changes(NamedTuple):
    """The servers after some pages, by id, whether or not they have a row, and what they weigh."""

    servers: dict[str, Server | None]
    weight: int


class ServerRows(KeptRows):
    """A row for each server that is not deleted, and the last names of those that are."""

    name = "server"
    what = "view"
    application_id = 0x5D766965
    schema = 4

    def create(self, connection: sqlite3.Connection, table: str) -> None:
        """Make an empty table, and the one of names."""
        create(connection, table)
        names = gone(table)
        connection.execute(f"CREATE TABLE {names} (id TEXT PRIMARY KEY, name TEXT NOT NULL)")
        connection.execute(f"CREATE INDEX idx_{names}_name ON {names} (name)")

    def drop(self, connection: sqlite3.Connection, table: str) -> None:
        """Drop both."""
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"DROP TABLE {gone(table)}")

    def settle(self, connection: sqlite3.Connection, table: str) -> None:
        """Make the indexes, if there are none yet: during a replay each row would move in them."""
        query = "SELECT 1 FROM pragma_index_list(?) WHERE origin = 'c'"
        if connection.execute(query, (table,)).fetchone() is None:
            create_indexes(connection, table)

    def page(self, log: Reading, after: int, limit: int) -> Page[Fact]:
        """A page of facts."""
        return log.facts(after, limit)

    def changes(
        self,
        log: Log,
        rows: sqlite3.Connection,
        table: str,
        page: Page[Fact],
        before: Changes | None,
    ) -> Changes:
        """The servers after the page."""
        servers, weight = before or Changes({}, 0)
        after = fold_page(log, page, servers, lambda ids: servers_in(rows, table, ids))
        weight += sum(len(_encode(after[one])) for one in after if one not in servers)
        servers |= after
        return Changes(servers, weight)

    def weight(self, changes: Changes) -> int:
        """What the servers weigh in JSON."""
        return changes.weight

    def write(self, connection: sqlite3.Connection, table: str, changes: Changes) -> None:
        """Write and delete rows. Of a deleted server its last name is kept."""
        there: list[Server] = []
        gone_ones: dict[str, str | None] = {}
        # In the order of the table's own index.
        for server_id, server in sorted(changes.servers.items()):
            if is_there(server):
                there.append(server)
            else:
                gone_ones[server_id] = None if server is None else server.name
        put_rows(connection, table, len(COLUMNS), map(row, there))
        remove(connection, table, gone_ones)
        connection.executemany(
            f"INSERT OR REPLACE INTO {gone(table)} VALUES (?, ?)",
            (one for one in gone_ones.items() if one[1] is not None),
        )


SERVERS = ServerRows()
"""The rows of the current server view."""
