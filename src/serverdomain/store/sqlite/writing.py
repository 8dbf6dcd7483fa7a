"""What is appended to a log on SQLite, in the transaction of whoever asks.

It is held until something is asked of the log, or the transaction ends, and then written at once:
between any two statements other threads may take Python's lock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.domain.server import Server
from serverdomain.store.codec import CODEC, refusals_of, stream_of
from serverdomain.store.log import Log, Row, Writing
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.remembered import Bases
from serverdomain.store.sqlite.place import Place
from serverdomain.store.sqlite.reading import SQLiteReading

_INSERT_COMMAND = (
    "INSERT INTO commands (command_id, kind, server_id, members, user_id, project_id, roles,"
    " request_id, correlation_id, caused_by, occurred_at, recorded_at, refused)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_INSERT_EVENT = (
    "INSERT INTO stored_events"
    " (position, originator_id, originator_version, topic, state, command_id)"
    " VALUES (?,?,?,?,?,?)"
)
# As AUTOINCREMENT counts: a number is not used again, even if its row was taken away.
_LAST = (
    "SELECT MAX(COALESCE((SELECT MAX(command_id) FROM commands), 0),"
    " COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'commands'), 0)),"
    " MAX(COALESCE((SELECT MAX(position) FROM stored_events), 0),"
    " COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'), 0))"
)


class SQLiteWriting(SQLiteReading, Writing):
    """A transaction that holds the write lock; whoever opened it commits it."""

    def __init__(
        self, connection: sqlite3.Connection, place: Place, log: Log, bases: Bases | None = None
    ) -> None:
        self._written = connection
        self._commands: list[Row] = []
        self._events: list[Row] = []
        self._by_request: dict[str, RecordedCommand] = {}
        self._last: tuple[int, int] | None = None
        super().__init__(connection, bases)
        self.keeps_refusals = log.keeps_refusals
        self.recent_refusals = log.recent_refusals

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, once what was appended is written: whoever asks sees it."""
        if self._commands:
            self.write()
        return self._written

    @connection.setter
    def connection(self, connection: sqlite3.Connection) -> None:
        self._written = connection

    def append(self, command: RecordedCommand, version: int, events: Sequence[Event]) -> list[int]:
        """Append a command and its events behind ``version``; gives back their positions."""
        return self._append(stream_of(command.server_id), command, version, events)

    def append_many(self, batch: Iterable[tuple[RecordedCommand, int, Sequence[Event]]]) -> None:
        """Append commands in their order, each with its events behind a version of its server."""
        for command, version, events in batch:
            self._append(stream_of(command.server_id), command, version, events)
        self.write()

    def append_refusal(self, command: RecordedCommand, refusal: CommandRefused) -> None:
        """Append what was refused, in a stream of its own beside the server's."""
        stream = refusals_of(command.server_id)
        query = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"
        self._append(stream, command, self._value(query, stream) or 0, [refusal], refused=1)

    def write(self) -> None:
        """Write what was appended; to be called before the transaction is committed."""
        commands, self._commands = self._commands, []
        events, self._events = self._events, []
        self._written.executemany(_INSERT_COMMAND, commands)
        self._written.executemany(_INSERT_EVENT, events)

    def command(self, request_id: str) -> RecordedCommand | None:
        """The recorded command that bears a request id."""
        return self._by_request.get(request_id) or super().command(request_id)

    def _keep(self, server: Server, position: int, request_id: str) -> None:
        # What was appended here may never be committed.
        if self._last is None:
            super()._keep(server, position, request_id)

    def latest_recorded_at(self) -> int | None:
        """When the log took its latest command in."""
        return self._commands[-1][-2] if self._commands else super().latest_recorded_at()

    def _append(
        self,
        stream: str,
        command: RecordedCommand,
        version: int,
        events: Sequence[Event],
        *,
        refused: int = 0,
    ) -> list[int]:
        encoded = CODEC.encode_all(events)
        if self._last is None:
            self._last = self._written.execute(_LAST).fetchone()
        command_id, position = self._last
        command_id += 1
        self._commands.append((command_id, *_columns(command), refused))
        for number, (topic, state) in enumerate(encoded, start=1):
            self._events.append(
                (position + number, stream, version + number, topic, state, command_id)
            )
        self._last = command_id, position + len(encoded)
        if not refused:
            self._by_request[command.request_id] = replace(command, command_id=command_id)
        return list(range(position + 1, position + len(encoded) + 1))


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
