"""Much that is appended to a log in PostgreSQL at once, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from serverdomain.domain.events import Event
from serverdomain.store.log import BulkWriting, Row
from serverdomain.store.postgresql import numbered
from serverdomain.store.postgresql.writing import PostgreSQLWriting
from serverdomain.store.recorded import RecordedCommand


class Bulk(PostgreSQLWriting, BulkWriting):
    """Much that is appended in one transaction, which holds the counter to its end.

    It is written before anything is asked of the log.
    """

    _AT_ONCE = 2_000

    def append_many(self, batch: Iterable[tuple[RecordedCommand, int, Sequence[Event]]]) -> None:
        """Append commands in their order, each with its events behind a version of its server."""
        for command, version, events in batch:
            self.append(command, version, events)
            if len(self._commands) >= self._AT_ONCE:
                self.flush()

    def append_rows(self, rows: Sequence[Row]) -> None:
        """Append events as another log holds them, with their commands."""
        self.flush()
        head = numbered.put(self.connection, self.schema, rows, self._command_id)
        assert head is not None  # It is locked by this transaction.
        self._position, self._command_id, self._recorded_at = head

    def flush(self) -> None:
        """Write what was appended since."""
        if self._commands:
            self.write_behind()

    def _all(self, query: str, *values: Any) -> list[Row]:
        self.flush()
        return super()._all(query, *values)

    def _some(self, query: str, *values: Any) -> list[Row]:
        self.flush()
        return super()._some(query, *values)

    def _value(self, query: str, *values: Any) -> Any:
        self.flush()
        return super()._value(query, *values)
