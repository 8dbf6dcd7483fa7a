"""Rows as arrays, one for each column, so that a statement for many rows is always the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

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
    """Rows from an array a column, numbered; as text, so that a statement is always the same."""
    arrays = ", ".join(f"%s::text[]::{kind}[]" for _, kind in columns)
    names = ", ".join(name for name, _ in columns)
    return f"unnest({arrays}) WITH ORDINALITY AS a({names}, number)"


def arrays_of(rows: Sequence[Row], columns: int) -> Iterable[list[Any]]:
    """The arrays that `rows_of` takes, of rows with so many columns."""
    if not rows:
        return ([] for _ in range(columns))
    return (
        [None if value is None else str(value) for value in column]
        for column in zip(*rows, strict=True)
    )
