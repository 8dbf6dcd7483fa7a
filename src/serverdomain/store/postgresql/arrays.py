"""Rows as arrays, one for each column, so that a statement for many rows is always the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from serverdomain.store.log import Row

COMMANDS = (
    ("kind", "text"),
    ("server_id", "text"),
    ("members", "text"),
    ("user_id", "text"),
    ("project_id", "text"),
    ("roles", "text"),
    ("request_id", "text"),
    ("correlation_id", "text"),
    ("caused_by", "text"),
    ("occurred_at", "bigint"),
    ("recorded_at", "bigint"),
    ("refused", "smallint"),
)
EVENTS = (
    ("originator_id", "text"),
    ("originator_version", "bigint"),
    ("topic", "text"),
    ("state", "text"),
    ("command", "bigint"),
)
"""The columns of a command, and of an event, behind their numbers; each with its type."""


def rows_of(columns: Sequence[tuple[str, str]]) -> str:
    """Rows from an array a column, numbered."""
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in columns)
    names = ", ".join(name for name, _ in columns)
    return f"unnest({arrays}) WITH ORDINALITY AS a({names}, number)"


def arrays_of(rows: Sequence[Row], columns: int) -> Iterable[str]:
    """The arrays that `rows_of` takes, of rows with so many columns, as PostgreSQL writes them.

    Raises `psycopg.DataError` for a NUL, which it does not keep.
    """
    return map(_array, zip(*rows, strict=True)) if rows else ("{}" for _ in range(columns))


def _array(column: Sequence[Any]) -> str:
    # Written by hand: psycopg asks each value what it is, which took a third of an import.
    if None in column:
        return "{" + ",".join("NULL" if one is None else _quoted(str(one)) for one in column) + "}"
    values = "\0".join(map(str, column))
    if values.count("\0") != len(column) - 1:
        raise psycopg.DataError("a NUL came, PostgreSQL keeps any other character")
    return "{" + _quoted(values).replace("\0", '","') + "}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
