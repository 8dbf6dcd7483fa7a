"""What is appended to a log on SQLite, in the transaction of whoever asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.store.codec import CODEC, refusals_of, stream_of
from serverdomain.store.log import Log, Writing
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.remembered import Bases
from serverdomain.store.sqlite.faults import store_error
from serverdomain.store.sqlite.place import Place
from serverdomain.store.sqlite.reading import SQLiteReading

_COLUMNS = (
    "kind, server_id, members, user_id, project_id, roles, request_id, correlation_id, caused_by,"
    " occurred_at, recorded_at"
)
_INSERT_COMMAND = f"INSERT INTO commands ({_COLUMNS}, refused) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
_INSERT_EVENT = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state, command_id)"
    " VALUES (?, ?, ?, ?, ?)"
)


class SQLiteWriting(SQLiteReading, Writing):
    """A transaction that holds the write lock; whoever opened it commits it."""

    def __init__(
        self, connection: sqlite3.Connection, place: Place, log: Log, bases: Bases | None = None
    ) -> None:
        super().__init__(connection, bases)
        self._place = place
        self.keeps_refusals = log.keeps_refusals
        self.recent_refusals = log.recent_refusals

    def append(self, command: RecordedCommand, version: int, events: Sequence[Event]) -> list[int]:
        """Append a command and its events behind ``version``; gives back their positions."""
        command_id = self._insert(_INSERT_COMMAND, (*_columns(command), 0))
        return self._append(stream_of(command.server_id), version, events, command_id)

    def append_many(self, batch: Iterable[tuple[RecordedCommand, int, Sequence[Event]]]) -> None:
        """Append commands in their order, each with its events behind a version of its server."""
        command_id = self._value("SELECT MAX(command_id) FROM commands") or 0
        position = self.head()
        commands, stored = [], []
        for command, version, events in batch:
            command_id += 1
            commands.append((command_id, *_columns(command)))
            stream = stream_of(command.server_id)
            for number, encoded in enumerate(CODEC.encode_all(events), start=version + 1):
                position += 1
                stored.append((position, stream, number, *encoded, command_id))
        self.connection.executemany(
            f"INSERT INTO commands (command_id, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            commands,
        )
        self.connection.executemany(
            "INSERT INTO stored_events"
            " (position, originator_id, originator_version, topic, state, command_id)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            stored,
        )

    def append_refusal(self, command: RecordedCommand, refusal: CommandRefused) -> None:
        """Append what was refused. Raises `StoreError` where the disk does not take it."""
        stream = refusals_of(command.server_id)
        query = "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?"
        try:
            command_id = self._insert(_INSERT_COMMAND, (*_columns(command), 1))
            self._append(stream, self._value(query, stream) or 0, [refusal], command_id)
        except sqlite3.Error as error:
            raise store_error(error, self._place) from error

    def _append(
        self, stream: str, version: int, events: Sequence[Event], command_id: int
    ) -> list[int]:
        return [
            self._insert(_INSERT_EVENT, (stream, number, *encoded, command_id))
            for number, encoded in enumerate(CODEC.encode_all(events), start=version + 1)
        ]

    def _insert(self, statement: str, values: tuple[Any, ...]) -> int:
        row = self.connection.execute(statement, values).lastrowid
        assert row is not None
        return row


def _columns(command: RecordedCommand) -> tuple[Any, ...]:
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
