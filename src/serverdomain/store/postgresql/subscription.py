"""How an `eventsourcing` application follows a log in PostgreSQL: told, or by asking itself."""

from __future__ import annotations

from eventsourcing import postgres

from serverdomain.store.postgresql import hints

_LOOK = 0.8
"""Seconds after which the log is asked, whatever was told."""


class PostgreSQLSubscription(postgres.PostgresSubscription):
    """What a hint that was lost does not hold up for long."""

    def _listen(self) -> None:
        try:
            with self._recorder.datastore.get_connection() as connection:
                connection.execute(hints.listen(self._recorder.datastore.schema))
                while not self._has_been_stopped and not self._thread_error:
                    for _ in connection.notifies(timeout=_LOOK, stop_after=1):
                        pass
                    self._has_been_notified.set()
        except BaseException as error:
            self._thread_error = self._thread_error or error
            self.stop()
