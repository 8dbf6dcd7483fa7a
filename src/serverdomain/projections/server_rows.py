"""A server as a row: columns to query by, and the folded server whole.

Times are RFC 3339; ``addresses``, ``metadata`` and ``server`` are JSON.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlite_utils import Database

from serverdomain.domain import moment
from serverdomain.domain.server import Server

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
    "server": str,
}
INDEXED = ("status", "name", "image_id", "project_id", "created")


_encode = msgspec.json.Encoder(order="deterministic").encode

read_row = msgspec.json.Decoder(Server).decode
"""The server in a row's column ``server``."""


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
        moment.exact(server.created),
        moment.exact(server.updated),
        server.version,
        _encode(server).decode(),
    )


def server_in(connection: sqlite3.Connection, table: str, server_id: str) -> Server | None:
    """The server that a table of rows has under an id."""
    found = connection.execute(f"SELECT server FROM {table} WHERE id = ?", (server_id,)).fetchone()
    return None if found is None else read_row(found[0])


def write(connection: sqlite3.Connection, table: str, servers: Iterable[Server]) -> None:
    """Put the rows of servers into a table, in place of those they had."""
    rows = Database(connection, execute_plugins=False).table(table)
    rows.insert_all([list(COLUMNS), *map(row, servers)], pk="id", replace=True)


def remove(connection: sqlite3.Connection, table: str, server_ids: Iterable[str]) -> None:
    """Take the rows of servers that are not there out of a table."""
    connection.executemany(
        f"DELETE FROM {table} WHERE id = ?", ((server_id,) for server_id in server_ids)
    )
