"""What is appended to a log in PostgreSQL: decided first, then written by one statement.

The statement moves the counter row and gives what it writes the numbers behind it. So positions
have no gaps, and a write that fails burns none. Nothing is locked before it; unique indexes tell
whoever decided on what has changed since, and that is decided again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import Connection

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.errors import InvalidInput, StoreDamaged, StoreError
from serverdomain.store.codec import CODEC, refusals_of, stream_of
from serverdomain.store.log import Log, Overtaken, Row, Tip, Writing
from serverdomain.store.postgresql.arrays import COMMANDS, EVENTS, arrays_of, rows_of
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.ending import HEAD, require_here
from serverdomain.store.postgresql.reading import VERSION, PostgreSQLReading
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.remembered import Remembered
from serverdomain.store.stored import columns_of

# ``position >= known`` finds the row from there on, whatever it has become meanwhile.
_FROM_THERE_ON = "position >= %s"
_THERE = (
    "position = %s AND recorded_at = %s AND EXISTS (SELECT 1 FROM {schema}.commands c"
    " WHERE c.command_id = head.command_id AND c.request_id = %s)"
)
WRITE = f"""
WITH h AS (
    UPDATE {{schema}}.head SET
        position = position + %s,
        command_id = command_id + %s,
        recorded_before = recorded_at,
        recorded_at = GREATEST(recorded_at, %s)
    WHERE {_FROM_THERE_ON} AND moved_to IS NULL
    RETURNING position - %s AS position, command_id - %s AS command_id, recorded_before
), c AS (
    INSERT INTO {{schema}}.commands
    SELECT h.command_id + a.number, a.kind, a.server_id, a.members, a.user_id, a.project_id,
        a.roles, a.request_id, a.correlation_id, a.caused_by, a.occurred_at,
        GREATEST(h.recorded_before, a.recorded_at), a.refused
    FROM h, {rows_of(COMMANDS)}
    RETURNING 1
), e AS (
    INSERT INTO {{schema}}.stored_events
    SELECT h.position + a.number, a.originator_id, a.originator_version, a.topic, a.state,
        h.command_id + a.command
    FROM h, {rows_of(EVENTS)}
    RETURNING 1
)
SELECT h.position, h.command_id, (SELECT COUNT(*) FROM c), (SELECT COUNT(*) FROM e) FROM h
"""
"""Moves the counter, and writes commands and events with the numbers behind it."""

WRITE_THERE = WRITE.replace(_FROM_THERE_ON, _THERE)
"""The same, if the counter stands where it is known to, and the last command is the one known."""

_THEIRS = (
    "SELECT originator_id FROM {schema}.stored_events"
    " WHERE originator_id = ANY(%s) AND command_id IS NULL LIMIT 1"
)


class PostgreSQLWriting(PostgreSQLReading, Writing):
    """What is to be written, collected; `write` writes it.

    ``beginning`` are the numbers of `HEAD` behind which it is written; ``numbered`` is the position
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

    def write_behind(self, tip: Tip | None = None) -> Row:
        """Write what was appended: the position, and the command, behind which it stands.

        With a ``tip`` it is written right behind that row; where another is the last, that raises
        `Overtaken`.
        """
        commands, self._commands = self._commands, []
        events, self._events = self._events, []
        named = None if tip is None else (tip.request_id or b"").decode()
        known = (self._position,) if tip is None else (self._position, self._recorded_at, named)
        found = self.connection.execute(
            in_schema(WRITE if tip is None else WRITE_THERE, self.schema),
            (
                len(events),
                len(commands),
                max((command[-2] for command in commands), default=0),
                *known,
                len(events),
                len(commands),
                *arrays_of(commands, len(COMMANDS)),
                *arrays_of(events, len(EVENTS)),
            ),
        ).fetchall()
        if not found and (tip is not None or self._is_behind()):
            raise Overtaken(f"{self.schema} does not end at position {self._position} any more")
        if len(found) != 1 or found[0][2:] != (len(commands), len(events)):
            raise StoreDamaged(f"the row in {self.schema}.head is not the one that was there")
        position, command_id = behind = found[0][:2]
        self._position, self._command_id = position + len(events), command_id + len(commands)
        return behind

    def require_ours(self, events: Sequence[Row]) -> None:
        """Raise `StoreError` where a stream is another application's: ours never follow there."""
        streams = list({event[0] for event in events})
        if found := self._all(_THEIRS, streams):
            raise StoreError(f"the stream {found[0][0]} of the log is another application's")

    def _is_behind(self) -> bool:
        # A pool between led the statement to another server than the one that was asked before.
        heads = self.connection.execute(in_schema(HEAD, self.schema)).fetchall()
        return len(heads) == 1 and require_here(heads[0], self.schema)[0] < self._position

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
        self._commands.append((*columns_of(command), refused))
        for number, (topic, state) in enumerate(encoded, start=version + 1):
            self._events.append((stream, number, topic, state, len(self._commands)))
        return list(range(first, first + len(encoded)))
