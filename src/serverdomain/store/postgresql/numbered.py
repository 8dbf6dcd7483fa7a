"""Events that another log has numbered, appended to one in PostgreSQL as they are.

One statement moves the counter row and writes what stands behind it, as the guards want it.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection

from serverdomain.errors import InvalidInput
from serverdomain.store.log import Row
from serverdomain.store.postgresql.arrays import COMMANDS, EVENTS, arrays_of, rows_of
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.ending import FROM_THERE_ON
from serverdomain.store.postgresql.states import as_text

_WITH_ID = (("command_id", "bigint"), *COMMANDS)
_WITH_POSITION = (("position", "bigint"), *EVENTS)


def _columns(kinds: Sequence[tuple[str, str]]) -> str:
    """The columns of rows that `rows_of` gives, without their numbers."""
    return ", ".join(f"a.{name}" for name, _ in kinds)


PUT = f"""
WITH h AS (
    UPDATE {{schema}}.head SET position = %s, command_id = GREATEST(command_id, %s),
        recorded_before = recorded_at, recorded_at = GREATEST(recorded_at, %s)
    WHERE {FROM_THERE_ON}
    RETURNING position, command_id, recorded_at
), c AS (
    INSERT INTO {{schema}}.commands SELECT {_columns(_WITH_ID)} FROM h, {rows_of(_WITH_ID)}
), e AS (
    INSERT INTO {{schema}}.stored_events
    SELECT {_columns(_WITH_POSITION)} FROM h, {rows_of(_WITH_POSITION)}
)
SELECT position, command_id, recorded_at FROM h
"""
"""Moves the counter to the last of them, and writes commands and events with their own numbers."""

_PUT_IN_COPY = PUT.replace(FROM_THERE_ON, "position = %s AND copied_from IS NOT NULL")


def put(
    connection: Connection[Row],
    schema: str,
    rows: Sequence[Row],
    known: int,
    *,
    in_copy_behind: int | None = None,
) -> Row | None:
    """Append them, with the commands behind the last that is ``known``; gives back the new head.

    Into a log that is being copied, behind this position alone: ``None`` where it is elsewhere.
    Raises `InvalidInput` for a NUL, which PostgreSQL does not keep.
    """
    for row in rows:
        if any("\0" in value for value in row if isinstance(value, str)):
            raise InvalidInput("log", f"position {row[0]} holds a NUL, which PostgreSQL refuses")
    commands = {row[5]: row[5:] for row in rows if row[5] is not None and row[5] > known}
    events = [(*row[:4], as_text(row[4]), row[5]) for row in rows]
    return connection.execute(
        in_schema(PUT if in_copy_behind is None else _PUT_IN_COPY, schema),
        (
            rows[-1][0],
            max(commands, default=0),
            max((command[-2] for command in commands.values()), default=0),
            *(() if in_copy_behind is None else (in_copy_behind,)),
            *arrays_of(list(commands.values()), len(_WITH_ID)),
            *arrays_of(events, len(_WITH_POSITION)),
        ),
    ).fetchone()
