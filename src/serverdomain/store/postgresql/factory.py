"""What makes recorders for an `eventsourcing` application.

Any of them selects it with ``PERSISTENCE_MODULE=serverdomain.store.postgresql`` and the settings
that it reads for PostgreSQL. Snapshots, and how far it follows others, it keeps in tables of its
own beside the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventsourcing import postgres
from eventsourcing.persistence import ProcessRecorder as AnyProcessRecorder
from eventsourcing.persistence import StoredEvent
from psycopg import Cursor
from psycopg.rows import DictRow

from serverdomain.store.postgresql.recorder import PostgreSQLRecorder


class ProcessRecorder(postgres.PostgresTrackingRecorder, PostgreSQLRecorder, AnyProcessRecorder):
    """The log, for an `eventsourcing` application that follows others."""

    def __init__(
        self,
        datastore: postgres.PostgresDatastore,
        *,
        events_table_name: str = "stored_events",
        tracking_table_name: str = "notification_tracking",
    ) -> None:
        super().__init__(
            datastore,
            tracking_table_name=tracking_table_name,
            events_table_name=events_table_name,
        )

    def _insert_events(
        self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> None:
        tracking = kwargs.get("tracking")
        if tracking is not None:
            self._insert_tracking(curs, tracking=tracking)


class Factory(postgres.PostgresFactory):
    """What ``PERSISTENCE_MODULE`` finds here; reads the environment that theirs reads."""

    aggregate_recorder_class = postgres.PostgresAggregateRecorder
    application_recorder_class = PostgreSQLRecorder
    process_recorder_class = ProcessRecorder  # type: ignore[assignment]
