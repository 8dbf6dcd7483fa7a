"""sqlite3 by hand: our very tables, indexes and triggers, and nothing that decides or remembers.

No rule is asked, no request id looked up, no event checked: what is left is what SQLite, the disk
and the standard library's JSON cost. With many commands in a transaction it is the most that anyone
can do on these tables.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from benchmarks.filling import TOGETHER
from benchmarks.rival import ADDRESS, DOCUMENTED, IMAGES, PERCENTS, SYNCHRONOUS, server_id
from serverdomain.store.sqlite import schema

_COLUMNS = ("name", "status", "image_id", "project_id", "created")
_VIEW = f"""
DROP TABLE IF EXISTS server;
CREATE TABLE server (id TEXT PRIMARY KEY, {", ".join(_COLUMNS)}, server TEXT);
{"".join(f"CREATE INDEX server_{column} ON server ({column});" for column in _COLUMNS)}
"""

Change = tuple[str, dict[str, Any]]


class ByHand:
    """A transaction for each command, whoever of its callers asks."""

    name = "sqlite3 by hand"
    shared = True
    together = 1
    """Commands in a transaction."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{type(self).__name__}.db"
        self._view_path = folder / f"{type(self).__name__}.view.db"
        self._writer = self._connect(self._path)
        self._reader = self._connect(self._path)
        self._writing = Lock()
        self._waiting = 0
        if not self._writer.execute("PRAGMA user_version").fetchone()[0]:
            self._writer.execute("BEGIN IMMEDIATE")
            schema.bring_up(self._writer, self._path)
            self._writer.execute("COMMIT")

    def _connect(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def fill(self, servers: int, cycles: int) -> None:
        with self.all_together():
            for number in range(servers):
                self.live(number, cycles)

    def live(self, number: int, cycles: int) -> None:
        """The commands of a server's life, of which each cycle is nine events."""
        beginning = DOCUMENTED | {
            "id": str(server_id(number)),
            "status": "ACTIVE",
            "created": "2012-09-12T00:00:00Z",
            "addresses": {"private": [ADDRESS]},
            "progress": 0,
        }
        self._append(number, "register", ("ServerRegistered", beginning))
        for cycle in range(1, cycles + 1):
            self.rebuild(number, IMAGES[cycle % 2], f"name {cycle}")
            for percent in PERCENTS:
                self._append(
                    number, "report_progress", ("RebuildProgressed", {"progress": percent})
                )
            self.complete(number)
            self._append(number, "stop", ("ServerStopped", {"status": "SHUTOFF"}))
            self._append(number, "start", ("ServerStarted", {"status": "ACTIVE"}))

    @contextmanager
    def all_together(self) -> Iterator[None]:
        """As many commands in a transaction as ours takes in bulk, whatever it does otherwise."""
        usually, self.together = self.together, TOGETHER
        yield
        self.commit()
        self.together = usually

    def commit(self) -> None:
        """What waits for more, committed now."""
        if self._waiting:
            self._writer.execute("COMMIT")
            self._waiting = 0

    def rename(self, number: int, name: str) -> None:
        self._append(number, "rename", ("ServerRenamed", {"name": name}))

    def rebuild(self, number: int, image_id: str, name: str) -> None:
        self._append(
            number,
            "rebuild",
            ("RebuildRequested", {"status": "REBUILD", "progress": 0}),
            ("ImageChanged", {"image_id": image_id}),
            ("ServerRenamed", {"name": name}),
        )

    def complete(self, number: int) -> None:
        done = {"status": "ACTIVE", "progress": 100}
        self._append(number, "complete_rebuild", ("RebuildCompleted", done))

    def _append(self, number: int, kind: str, *events: Change) -> None:
        server = server_id(number)
        with self._writing:
            now = time.time_ns() // 1_000
            connection = self._writer
            if not self._waiting:
                connection.execute("BEGIN IMMEDIATE")
            command_id = connection.execute(
                "INSERT INTO commands (kind, server_id, members, user_id, project_id, roles,"
                " request_id, occurred_at, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(kind, str(server), json.dumps(events[-1][1]), "fake", "openstack"),
                    *('["member"]', f"req-{uuid4()}", now, now),
                ),
            ).lastrowid
            (version,) = connection.execute(
                "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?",
                (server.hex,),
            ).fetchone()
            connection.executemany(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state,"
                " command_id) VALUES (?, ?, ?, ?, ?)",
                [
                    (server.hex, after, f"serverdomain:{name}:1", json.dumps(members), command_id)
                    for after, (name, members) in enumerate(events, (version or 0) + 1)
                ],
            )
            self._waiting += 1
            if self._waiting >= self.together:
                self.commit()

    def get(self, number: int) -> object:
        rows = self._reader.execute(
            "SELECT state FROM stored_events WHERE originator_id = ? ORDER BY originator_version",
            (server_id(number).hex,),
        )
        server: dict[str, Any] = {}
        for (state,) in rows:
            server.update(json.loads(state))
        return server

    def view(self) -> int:
        servers: dict[str, dict[str, Any]] = {}
        for originator_id, state in self._states():
            servers.setdefault(originator_id, {}).update(json.loads(state))
        view = self._connect(self._view_path)
        try:
            view.executescript(_VIEW)
            view.execute("BEGIN IMMEDIATE")
            view.executemany(
                "INSERT INTO server VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (server["id"], *(server[column] for column in _COLUMNS), json.dumps(server))
                    for server in servers.values()
                ],
            )
            view.execute("COMMIT")
        finally:
            view.close()
        return len(servers)

    def _states(self) -> Iterator[tuple[Any, ...]]:
        return self._reader.execute(
            "SELECT originator_id, state FROM stored_events ORDER BY position"
        )

    def durability(self) -> str:
        (journal,) = self._writer.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = self._writer.execute("PRAGMA synchronous").fetchone()
        return f"{journal}/{SYNCHRONOUS[synchronous]}"

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
