"""The current server view: a row for each server that is there, with columns to query by.

A cache of the fold, never a second truth: it can be thrown away at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from serverdomain.domain import limits
from serverdomain.domain.server import Server
from serverdomain.errors import InvalidInput, StoreDamaged
from serverdomain.projections import catch_up, replay
from serverdomain.projections.server_rows import COLUMNS, INDEXED, read_row
from serverdomain.projections.view_file import ViewFile
from serverdomain.store import queries
from serverdomain.store.sqlite import SQLiteStore

STATUSES = ("ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF")

Answer = TypeVar("Answer")


class ViewStatus(NamedTuple):
    """How far a view has followed the log: positions, events that it lags behind, servers in it."""

    position: int
    head: int
    lag: int
    servers: int


class ServerView:
    """The current server view of a log, in a file beside it or in memory with it."""

    def __init__(self, store: SQLiteStore, given: str | Path | None = None) -> None:
        self._store = store
        with store.connections.reading() as connection:
            log_id = queries.log_id(connection)
        self._file = ViewFile(store.connections.place, log_id, given, COLUMNS, INDEXED)

    @property
    def path(self) -> Path | None:
        """Where its file is; ``None`` in memory."""
        return self._file.place.path

    def catch_up(self) -> None:
        """Follow the log to its head.

        Raises `UnknownEvent` at an event of a newer release. Where the log was put back from a
        backup since, the view is replayed by itself and a warning is logged.
        """
        self._sound(lambda: catch_up.catch_up(self._store, self._file))

    def replay(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Make all rows anew beside the old ones, which are read and followed meanwhile; switch.

        ``progress`` is told the position reached and the log's head, after each batch.
        """
        self._sound(lambda: replay.replay(self._store, self._file, progress))

    def status(self) -> ViewStatus:
        """How far it is, as it stands, without catching up."""
        return self._sound(self._status)

    def servers(
        self,
        *,
        status: str | None = None,
        name: str | None = None,
        image_id: str | None = None,
        project_id: str | None = None,
    ) -> list[Server]:
        """The servers that the view shows now, newest first; ``name`` finds a part of a name."""
        if status is not None and status not in STATUSES:
            raise InvalidInput("status", f"{status!r} came, {', '.join(STATUSES)} are allowed")
        for field, text in (("name", name), ("image_id", image_id), ("project_id", project_id)):
            if text is not None:
                limits.text(field, text)
        wanted = {"status": status, "image_id": image_id, "project_id": project_id}
        conditions = {f"{column} = ?": value for column, value in wanted.items()}
        conditions["instr(name, ?) > 0"] = name
        given = {what: value for what, value in conditions.items() if value is not None}
        where = f"WHERE {' AND '.join(given)}" if given else ""

        def read() -> list[Server]:
            with self._file.connections.reading() as connection:
                rows = connection.execute(
                    f"SELECT server FROM server {where} ORDER BY created DESC, id",
                    tuple(given.values()),
                ).fetchall()
            return [read_row(server) for (server,) in rows]

        return self._sound(read)

    def close(self) -> None:
        """Close the file."""
        self._file.connections.close()

    def _status(self) -> ViewStatus:
        with self._file.connections.reading() as connection:
            live = self._file.live(connection)
            (servers,) = connection.execute("SELECT COUNT(*) FROM server").fetchone()
        with self._store.connections.reading() as connection:
            head = queries.head(connection)
            lag = queries.events_behind(connection, live.position)
        return ViewStatus(live.position, head, lag, servers)

    def _sound(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except StoreDamaged as damage:
            if damage.place != self._file.place:
                raise
            self._file.make_anew(damage)
            catch_up.catch_up(self._store, self._file)
            return ask()
