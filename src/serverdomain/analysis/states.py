"""What servers were folded to, as a table: a row each, a column for each member.

A member that is a map or a list is JSON, so that every bucket has the same columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from serverdomain.analysis.columns import TIME
from serverdomain.domain.server import Server

_TEXTS = (
    *("name", "status", "project_id", "user_id", "image_id", "flavor_id", "state"),
    *("access_ipv4", "access_ipv6", "host_id", "disk_config", "locked_by"),
)
_TIMES = {"created": "created_micros", "updated": "updated_micros", "launched": "launched_micros"}
_JSON = ("metadata", "addresses", "fault", "rebuild")
_NUMBERS = ("progress", "version", "first_position")

SERVERS = pa.schema(
    [
        pa.field("server_id", pa.string(), nullable=False),
        *(pa.field(name, pa.string()) for name in _TEXTS),
        *(pa.field(name, TIME) for name in _TIMES),
        *(pa.field(name, pa.string()) for name in _JSON),
        *(pa.field(name, pa.int64()) for name in _NUMBERS),
        pa.field("deleted", pa.bool_()),
    ]
)
"""The columns of servers, deleted ones among them."""

_json = msgspec.json.Encoder(order="sorted").encode

Folded = tuple[str, Any]
"""The id of a server, and what it was folded to."""


def table_of(folded: Sequence[Folded]) -> pa.Table:
    """The table of what servers were folded to, by whatever function."""
    if all(type(state) is Server for _, state in folded):
        return _servers(folded)
    rows = [{"server_id": server_id, **_members(state)} for server_id, state in folded]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The tables of buckets as one, in order of servers."""
    some = [table for table in tables if len(table)] or tables[:1]
    whole = pa.concat_tables(some, promote_options="permissive")
    return whole.sort_by("server_id").combine_chunks()


def _servers(folded: Sequence[Folded]) -> pa.Table:
    servers = [server for _, server in folded]
    columns: dict[str, list[Any]] = {"server_id": [server_id for server_id, _ in folded]}
    columns |= {name: [getattr(one, name) for one in servers] for name in _TEXTS}
    columns |= {name: [getattr(one, at) for one in servers] for name, at in _TIMES.items()}
    columns |= {name: [_text(getattr(one, name)) for one in servers] for name in _JSON}
    columns |= {name: [getattr(one, name) for one in servers] for name in (*_NUMBERS, "deleted")}
    return pa.table(columns, schema=SERVERS)


def _text(value: object) -> str | None:
    return None if value is None else _json(value).decode()


def _members(state: object) -> dict[str, Any]:
    plain = msgspec.to_builtins(state)
    members = plain if isinstance(plain, dict) else {"value": plain}
    return {
        str(name): _text(value) if isinstance(value, dict | list) else value
        for name, value in members.items()
    }
