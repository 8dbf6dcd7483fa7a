"""What is appended to a log in PostgreSQL: decided first, then written by one statement.

The statement moves the counter row and gives what it writes the numbers behind it. So positions
have no gaps, and a write that fails burns none. Nothing is locked before it; unique indexes tell
whoever decided on what has changed since, and that is decided again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from psycopg import Connection

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.errors import InvalidInput, StoreDamaged
from serverdomain.store.codec import CODEC, refusals_of, stream_of
from serverdomain.store.log import Log, Overtaken, Row, Writing
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.reading import VERSION, PostgreSQLReading
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.remembered import Remembered

_COMMANDS = (
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
_EVENTS = (
    ("originator_id", "text"),
    ("originator_version", "bigint"),
    ("topic", "text"),
    ("state", "text"),
    ("command", "bigint"),
)


def _rows(columns: Sequence[tuple[str, str]]) -> str:
    """Rows from an array a column, numbered; as text, so that a statement is always the same."""
    arrays = ", ".join(f"%s::text[]::{kind}[]" for _, kind in columns)
    names = ", ".join(name for name, _ in columns)
    return f"unnest({arrays}) WITH ORDINALITY AS a({names}, number)"


# ``position >= known`` finds the row from there on, whatever it has become meanwhile.
_WRITE = f"""
WITH h AS (
    UPDATE {{schema}}.head SET
        position = position + %s,
        command_id = command_id + %s,
        recorded_before = recorded_at,
        recorded_at = GREATEST(recorded_at, %s)
    WHERE position >= %s
    RETURNING position - %s AS position, command_id - %s AS command_id, recorded_before
), c AS (
    INSERT INTO {{schema}}.commands
    SELECT h.command_id + a.number, a.kind, a.server_id, a.members, a.user_id, a.project_id,
        a.roles, a.request_id, a.correlation_id, a.caused_by, a.occurred_at,
        GREATEST(h.recorded_before, a.recorded_at), a.refused
    FROM h, {_rows(_COMMANDS)}
    RETURNING 1
), e AS (
    INSERT INTO {{schema}}.stored_events
    SELECT h.position + a.number, a.originator_id, a.originator_version, a.topic, a.state,
        h.command_id + a.command
    FROM h, {_rows(_EVENTS)}
    RETURNING 1
)
SELECT h.position, (SELECT COUNT(*) FROM c), (SELECT COUNT(*) FROM e) FROM h
"""
HEAD = "SELECT position, command_id, recorded_at FROM {schema}.head"
"""The last numbers that were given, and when."""


class PostgreSQLWriting(PostgreSQLReading, Writing):
    """What is to be written, collected; `write` writes it.

    ``beginning`` is the row of `HEAD` behind which it is written; ``numbered`` is the position
    behind which positions are given, if it is another one.
    """

    def __init__(
        self,
        connection: Connection[Row],
        schema: str,
        log: Log,
        remembered: Remembered | None,
        beginning: Row,
        numbered: int | None = None,
    ) -> None:
        super().__init__(connection, schema, remembered)
        self.keeps_refusals = log.keeps_refusals
        self.recent_refusals = log.recent_refusals
        self._position, self._command_id, self._recorded_at = beginning
        self._numbered = numbered
        self._commands: list[Row] = []
        self._events: list[Row] = []

    def append(self, command: RecordedCommand, version: int, events: Sequence[Event]) -> list[int]:
        """Append a command and its events behind ``version``; gives back their positions."""
        return self._append(stream_of(command.server_id), command, version, events)

    def append_many(self, batch: Iterable[tuple[RecordedCommand, int, Sequence[Event]]]) -> None:
        """Append commands in their order, each with its events behind a version of its server."""
        for command, version, events in batch:
            self._append(stream_of(command.server_id), command, version, events)

    def append_refusal(self, command: RecordedCommand, refusal: CommandRefused) -> None:
        """Append what was refused, in a stream of its own beside the server's."""
        stream = refusals_of(command.server_id)
        self._append(stream, command, self._version(stream), [refusal], refused=1)

    def write(self) -> int:
        """Write what was appended: the position behind which it stands."""
        commands, self._commands = self._commands, []
        events, self._events = self._events, []
        found = self.connection.execute(
            in_schema(_WRITE, self.schema),
            (
                len(events),
                len(commands),
                max((command[-2] for command in commands), default=0),
                self._position,
                len(events),
                len(commands),
                *_arrays(commands, len(_COMMANDS)),
                *_arrays(events, len(_EVENTS)),
            ),
        ).fetchall()
        if not found and self._is_behind():
            raise Overtaken(f"{self.schema} went back behind position {self._position}")
        if len(found) != 1 or found[0][1:] != (len(commands), len(events)):
            raise StoreDamaged(f"the row in {self.schema}.head is not the one that was there")
        before = int(found[0][0])
        self._position = before + len(events)
        self._command_id += len(commands)
        return before

    def _is_behind(self) -> bool:
        # A pool between led the statement to another server than the one that was asked before.
        heads = self.connection.execute(in_schema(HEAD, self.schema)).fetchall()
        return len(heads) == 1 and heads[0][0] < self._position

    def latest_recorded_at(self) -> int | None:
        """When the log took its latest command in."""
        if self._commands:
            at: int = self._commands[-1][-2]
            return at
        return self._recorded_at if self._command_id else None

    def _version(self, stream: str) -> int:
        """The last version in a stream, what is to be written among it."""
        pending = [event[1] for event in self._events if event[0] == stream]
        return pending[-1] if pending else int(self._value(VERSION, stream) or 0)

    def _append(
        self,
        stream: str,
        command: RecordedCommand,
        version: int,
        events: Sequence[Event],
        *,
        refused: int = 0,
    ) -> list[int]:
        for field in ("user_id", "project_id"):
            if "\0" in getattr(command, field):
                raise InvalidInput(field, "a NUL came, PostgreSQL keeps any other character")
        encoded = CODEC.encode_all(events)
        numbered = self._position if self._numbered is None else self._numbered
        first = numbered + len(self._events) + 1
        self._commands.append((*_columns(command), refused))
        for number, (topic, state) in enumerate(encoded, start=version + 1):
            self._events.append((stream, number, topic, state, len(self._commands)))
        return list(range(first, first + len(encoded)))


def _arrays(rows: Sequence[Row], columns: int) -> Iterable[list[Any]]:
    if not rows:
        return ([] for _ in range(columns))
    return (
        [None if value is None else str(value) for value in column]
        for column in zip(*rows, strict=True)
    )


def _columns(command: RecordedCommand) -> Row:
    return (
        command.kind,
        command.server_id,
        command.members,
        command.user_id,
        command.project_id,
        msgspec.json.encode(command.roles).decode(),
        command.request_id,
        command.correlation_id,
        command.caused_by,
        command.occurred_at,
        command.recorded_at,
    )
