"""The same tables as `eventsourcing` knows them: its recorder, behind our counter row.

A log is there already: `serverdomain store init` made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing import postgres
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    OperationalError,
    StoredEvent,
    Subscription,
)
from psycopg import Cursor
from psycopg.rows import DictRow

from serverdomain.store.postgresql import hints
from serverdomain.store.postgresql.arrays import EVENTS, arrays_of, rows_of
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.ending import FROM_THERE_ON
from serverdomain.store.postgresql.states import as_bytes, as_text
from serverdomain.store.postgresql.subscription import PostgreSQLSubscription

_THERE = "SELECT to_regclass(%s) IS NOT NULL AS there"
_THEIRS = EVENTS[:-1]
INSERT = f"""
WITH h AS (
    UPDATE {{schema}}.head SET position = position + %s, recorded_before = recorded_at
    WHERE {FROM_THERE_ON} AND moved_to IS NULL AND copied_from IS NULL
    RETURNING position - %s AS position
)
INSERT INTO {{schema}}.stored_events
SELECT h.position + a.number, a.originator_id, a.originator_version, a.topic, a.state, NULL
FROM h, {rows_of(_THEIRS)}
RETURNING position
"""
"""Moves the counter, and writes another application's events with the numbers behind it."""

_OURS = (
    "SELECT originator_id FROM {schema}.stored_events"
    " WHERE originator_id = ANY(%s) AND command_id IS NOT NULL LIMIT 1"
)
_STREAM = "SELECT * FROM {schema}.stored_events WHERE originator_id = %s"
_ALL = "SELECT * FROM {schema}.stored_events WHERE position >= %s"
_LAST = "SELECT MAX(position) AS last FROM {schema}.stored_events"


class PostgreSQLRecorder(postgres.PostgresApplicationRecorder):
    """An `eventsourcing` application recorder over the tables of a log."""

    def __init__(
        self, datastore: postgres.PostgresDatastore, *, events_table_name: str = "stored_events"
    ) -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        self.sql_create_statements.clear()
        self.channel_name = hints.channel(datastore.schema)

    def create_table(self) -> None:
        """Raise `OperationalError` unless there is a log: its owner makes it."""
        with self.datastore.get_connection() as connection:
            found = connection.execute(_THERE, (f'"{self.datastore.schema}".head',)).fetchone()
        if found is None or not found["there"]:
            raise OperationalError(
                f"{self.datastore.schema} holds no store: serverdomain store init makes one"
            )
        super().create_table()

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append events in their order; gives back their positions, all or none are written."""
        rows = [
            (self._stream(one.originator_id), one.originator_version, one.topic, as_text(one.state))
            for one in stored_events
        ]
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_events(cursor, stored_events, **kwargs)
            return self._append(cursor, rows) if rows else []

    def _append(self, cursor: Cursor[DictRow], rows: Sequence[tuple[Any, ...]]) -> list[int]:
        streams = list({row[0] for row in rows})
        if ours := cursor.execute(self._asked(_OURS), (streams,)).fetchall():
            raise IntegrityError(f"the stream {ours[0]['originator_id']} is one of serverdomain's")
        asked = (len(rows), len(rows), *arrays_of(rows, len(_THEIRS)))
        found = [row["position"] for row in cursor.execute(self._asked(INSERT), asked)]
        if len(found) != len(rows):
            raise OperationalError(f"the log in the schema {self.datastore.schema} is not here")
        cursor.execute(hints.notify(self.datastore.schema))
        return sorted(found)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of a stream, in order of version."""
        query = _STREAM
        given: list[Any] = [self._stream(originator_id)]
        for condition, value in (
            (" AND originator_version > %s", gt),
            (" AND originator_version <= %s", lte),
        ):
            if value is not None:
                query, given = query + condition, [*given, value]
        query += " ORDER BY originator_version" + (" DESC" if desc else "")
        if limit is not None:
            query, given = f"{query} LIMIT %s", [*given, limit]
        return [
            StoredEvent(
                originator_id=self._originator(row),
                originator_version=row["originator_version"],
                topic=row["topic"],
                state=_state(row),
            )
            for row in self._all(query, *given)
        ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The events from a position on, in order of position."""
        first = (start or 0) + (0 if inclusive_of_start or start is None else 1)
        query = _ALL
        given: list[Any] = [first]
        if stop is not None:
            query, given = f"{query} AND position <= %s", [*given, stop]
        if topics:
            query, given = f"{query} AND topic = ANY(%s)", [*given, list(topics)]
        return [
            Notification(
                id=row["position"],
                originator_id=self._originator(row),
                originator_version=row["originator_version"],
                topic=row["topic"],
                state=_state(row),
            )
            for row in self._all(f"{query} ORDER BY position LIMIT %s", *given, limit)
        ]

    def max_notification_id(self) -> int | None:
        """The last position; ``None`` where there is none."""
        ((last),) = (row["last"] for row in self._all(_LAST))
        return None if last is None else int(last)

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """The events behind a position, those that come among them."""
        return PostgreSQLSubscription(recorder=self, gt=gt, topics=topics)

    def _all(self, query: str, *given: Any) -> list[DictRow]:
        with self.datastore.get_connection() as connection:
            return connection.execute(self._asked(query), given).fetchall()

    def _asked(self, query: str) -> str:
        return in_schema(query, self.datastore.schema)

    def _stream(self, originator_id: UUID | str) -> str:
        return originator_id.hex if isinstance(originator_id, UUID) else originator_id

    def _originator(self, row: DictRow) -> UUID | str:
        stream: str = row["originator_id"]
        return UUID(stream) if self.datastore.originator_id_type == "uuid" else stream


def _state(row: DictRow) -> bytes:
    text: str = row["state"]
    return as_bytes(text) if row["command_id"] is None else text.encode()
