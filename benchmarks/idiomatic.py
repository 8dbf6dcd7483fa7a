"""`eventsourcing` as its tutorial has it, on its SQLite recorder, with a view as its docs have it.

Its ``ProjectionRunner`` cannot follow SQLite, so the notifications are selected here and given to
the projection, one transaction for each event, as the runner would. `Batched` is kinder than the
documentation: it folds a page of events and writes it in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from eventsourcing.persistence import Notification, Tracking
from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder

from benchmarks.rival import ADDRESS, DOCUMENTED, IMAGES, PERCENTS, SYNCHRONOUS, server_id
from tests.oracle.idiomatic import Server, Servers

PAGE = 2_000


class ServerRows(SQLiteTrackingRecorder):
    """The view: a row for each server, and how far it has followed the log."""

    columns: ClassVar = ("name", "status", "image_id", "project_id", "created")

    def construct_create_table_statements(self) -> list[str]:
        columns = ", ".join(f"{column} TEXT" for column in self.columns)
        return [
            *super().construct_create_table_statements(),
            f"CREATE TABLE server (id TEXT PRIMARY KEY, {columns}, server TEXT)",
            *(f"CREATE INDEX server_{name} ON server ({name})" for name in self.columns),
        ]

    def put(self, servers: Iterable[Server], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            cursor.executemany(
                "INSERT OR REPLACE INTO server VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        str(server.id),
                        *(getattr(server, column) for column in self.columns),
                        json.dumps(server.document()),
                    )
                    for server in servers
                ],
            )
            self._insert_tracking(cursor, tracking)


class Idiomatic:
    name = "eventsourcing"
    shared = True
    settings: ClassVar[dict[str, str]] = {}

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._views = 0
        self._servers = Servers(
            env={
                "PERSISTENCE_MODULE": "eventsourcing.sqlite",
                "SQLITE_DBNAME": str(folder / f"{type(self).__name__}.db"),
                "SQLITE_LOCK_TIMEOUT": "30",
                "SQLITE_POOL_TIMEOUT": "30",
                **self.settings,
            }
        )

    def fill(self, servers: int, cycles: int) -> None:
        self.save(range(servers), cycles)

    def save(self, numbers: Iterable[int], cycles: int) -> None:
        """Servers and their lives, one save for each server."""
        for number in numbers:
            server = Server(
                server_id=str(server_id(number)),
                state="ACTIVE",
                created="2012-09-12T00:00:00Z",
                addresses={"private": [ADDRESS]},
                progress=0,
                fault=None,
                **DOCUMENTED,
            )
            for cycle in range(1, cycles + 1):
                server.rebuild(f"req-{cycle}", IMAGES[cycle % 2], f"name {cycle}")
                for percent in PERCENTS:
                    server.report_progress(percent)
                server.complete_rebuild()
                server.stop()
                server.start()
            self._servers.save(server)

    def live(self, numbers: Iterable[int], cycles: int) -> None:
        """The same command by command, each read, decided and saved as its tutorial has it."""
        app = self._servers
        for number in numbers:
            self.save([number], 0)
            for cycle in range(1, cycles + 1):
                self.rebuild(number, IMAGES[cycle % 2], f"name {cycle}")
                for percent in PERCENTS:
                    app.report_progress(server_id(number), percent)
                self.complete(number)
                app.stop(server_id(number))
                app.start(server_id(number))

    def rename(self, number: int, name: str) -> None:
        self._servers.rename(server_id(number), name)

    def rebuild(self, number: int, image_id: str, name: str) -> None:
        self._servers.rebuild(server_id(number), "req-1", image_id, name=name)

    def complete(self, number: int) -> None:
        self._servers.complete_rebuild(server_id(number))

    def get(self, number: int) -> object:
        return self._servers.get_server(server_id(number))

    def view(self) -> int:
        self._views += 1
        database = self._folder / f"{type(self).__name__}.view{self._views}.db"
        datastore = SQLiteDatastore(str(database))
        try:
            rows = ServerRows(datastore)
            rows.create_table()
            servers = self._project(rows)
        finally:
            datastore.close()
        return servers

    def _project(self, rows: ServerRows) -> int:
        servers: dict[UUID, Server] = {}
        for page in self._pages():
            for notification in page:
                server = self._folded(servers, notification)
                rows.put([server], Tracking(self._servers.name, notification.id))
        return len(servers)

    def _folded(self, servers: dict[UUID, Server], notification: Notification) -> Server:
        event: Any = self._servers.mapper.to_domain_event(notification)
        server: Server = event.mutate(servers.get(event.originator_id))
        servers[server.id] = server
        return server

    def _pages(self) -> Iterator[list[Notification]]:
        last = 0
        while page := self._servers.recorder.select_notifications(
            start=last, limit=PAGE, inclusive_of_start=False
        ):
            yield list(page)
            last = page[-1].id

    def durability(self) -> str:
        recorder: Any = self._servers.recorder
        with recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("PRAGMA journal_mode")
            (journal,) = cursor.fetchone()
            cursor.execute("PRAGMA synchronous")
            (synchronous,) = cursor.fetchone()
        return f"{journal}/{SYNCHRONOUS[synchronous]}"

    def close(self) -> None:
        self._servers.close()


class Cached(Idiomatic):
    """Kinder than its tutorial: the aggregates are cached, and brought up when they are read."""

    name = "eventsourcing, its cache on"
    settings: ClassVar = {"AGGREGATE_CACHE_MAXSIZE": "1000"}


class Batched(Idiomatic):
    name = "eventsourcing, batched"

    def _project(self, rows: ServerRows) -> int:
        servers: dict[UUID, Server] = {}
        for page in self._pages():
            touched = [self._folded(servers, notification) for notification in page]
            last = Tracking(self._servers.name, page[-1].id)
            rows.put({server.id: server for server in touched}.values(), last)
        return len(servers)
