"""What is appended to a log on SQLite, in the transaction of whoever asks.

It is held until something is asked of the log, or the transaction ends, and then written at once:
between any two statements other threads may take Python's lock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from msgspec import json
from msgspec.structs import replace

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.domain.history import History
from serverdomain.domain.server import Server
from serverdomain.errors import StoreDamaged
from serverdomain.store.codec import CODEC, refusals_of, stream_of
from serverdomain.store.log import LARGEST, Log, Row, Tip, Writing
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.remembered import Ahead, Remembered
from serverdomain.store.request import Request
from serverdomain.store.sqlite.end import End
from serverdomain.store.sqlite.reading import SQLiteReading
from serverdomain.store.stored import OF_COMMAND, columns_of, command_of, is_time

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
_VERSION = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"
_COMMANDS = (
    f"SELECT {OF_COMMAND} FROM commands c"
    " WHERE c.request_id IN (SELECT value FROM json_each(?)) AND c.refused = 0"
)


class SQLiteWriting(SQLiteReading, Writing):
    """A transaction that holds the write lock; whoever opened it commits it."""

    def __init__(self, log: Log, remembered: Remembered, end: End) -> None:
        self._end = end
        self._written = end.connection
        self._commands: list[Row] = []
        self._events: list[Row] = []
        self._by_request: dict[str, RecordedCommand | None] = {}
        super().__init__(end.connection)
        self._command_id, self._position, self._tip = end.command_id, end.position, end.tip
        self.ahead = Ahead(remembered, self)
        """The servers, as they will be."""
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

    def expect(self, requests: Sequence[Request]) -> None:
        """Look up what several ask at once."""
        if len(requests) > 1:
            asked = dict.fromkeys(request.context.request_id for request in requests)
            found = map(command_of, self._all(_COMMANDS, json.encode([*asked]).decode()))
            self._by_request = asked | {command.request_id: command for command in found}

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
        self._append(stream, command, self._value(_VERSION, stream) or 0, [refusal], refused=1)

    def write(self) -> None:
        """Write what was appended; to be called before the transaction is committed."""
        commands, self._commands = self._commands, []
        events, self._events = self._events, []
        self._written.executemany(_INSERT_COMMAND, commands)
        self._written.executemany(_INSERT_EVENT, events)

    def committed(self) -> End:
        """Remember what is known now, for whoever asks next; gives back where the log ends."""
        self.ahead.committed(self._tip)
        return self._end._replace(
            command_id=self._command_id, position=self._position, tip=self._tip
        )

    def command(self, request_id: str) -> RecordedCommand | None:
        """The recorded command that bears a request id."""
        if request_id in self._by_request:
            return self._by_request[request_id]
        return super().command(request_id)

    def tip(self, until: int = LARGEST) -> Tip:
        """The last row, or the last at or below a position."""
        return self._tip if until == LARGEST else super().tip(until)

    def latest_recorded_at(self) -> int | None:
        """When the log took its latest command in."""
        found = self._tip.recorded_at
        return found if is_time(found) else super().latest_recorded_at()

    def version(self, server_id: str) -> int:
        """The version of a server's last event; 0 if it has none."""
        known = self.ahead.versions.get(server_id)
        if known is None:
            # Nothing of this server waits to be written.
            (known,) = self._written.execute(_VERSION, (stream_of(server_id),)).fetchone()
            if known is not None and type(known) is not int:
                raise StoreDamaged(f"the last version of server {server_id} is {known!a}")
        return known or 0

    def so_far(
        self, server_id: str, position: int = LARGEST, base: Server | None = None
    ) -> History:
        """A server's history up to a position, with what was appended here."""
        if position != LARGEST or base is not None:
            return super().so_far(server_id, position, base)
        known = self.ahead.history(server_id)
        if known is None:
            base = self.ahead.beginning(self, server_id) if self.is_long(server_id) else None
            known = self.ahead.read(server_id, super().so_far(server_id, base=base))
        return known

    def history(self, server_id: str, **bounds: int) -> History:
        """A server's facts, of those within all these bounds."""
        found = super().history(server_id, **bounds)
        return found if bounds else self.ahead.read(server_id, found)

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
        before = self._position
        self._command_id += 1
        self._commands.append((self._command_id, *columns_of(command), refused))
        for topic, state in encoded:
            version += 1
            self._position += 1
            row = (self._position, stream, version, topic, state, self._command_id)
            self._events.append(row)
        self._tip = Tip(
            self._position,
            stream.encode(),
            version,
            self._command_id,
            command.request_id.encode(),
            command.recorded_at,
        )
        if not refused:
            self.ahead.appended(command.server_id, version)
            self._by_request[command.request_id] = replace(command, command_id=self._command_id)
        return list(range(before + 1, self._position + 1))
