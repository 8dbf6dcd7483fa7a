"""sqlite3 by hand: the same rows and indexes, and nothing that keeps anyone from a mistake.

No rule is asked, no request id looked up, no event checked, nothing guarded: what is left is what
SQLite, the disk and the standard library's JSON cost.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

from benchmarks.rival import ADDRESS, DOCUMENTED, IMAGES, PERCENTS, SYNCHRONOUS, server_id

_TABLES = """
CREATE TABLE commands (
    command_id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, server_id TEXT, members TEXT,
    user_id TEXT, project_id TEXT, roles TEXT, request_id TEXT, occurred_at INTEGER,
    recorded_at INTEGER
);
CREATE TABLE stored_events (
    position INTEGER PRIMARY KEY AUTOINCREMENT, originator_id TEXT, originator_version INTEGER,
    topic TEXT, state TEXT, command_id INTEGER, UNIQUE (originator_id, originator_version)
);
CREATE INDEX commands_by_server ON commands (server_id);
CREATE INDEX commands_by_time ON commands (recorded_at);
CREATE UNIQUE INDEX commands_by_request ON commands (request_id);
CREATE INDEX stored_events_by_command ON stored_events (command_id);
"""
_COLUMNS = ("name", "status", "image_id", "project_id", "created")
_VIEW = f"""
DROP TABLE IF EXISTS server;
CREATE TABLE server (id TEXT PRIMARY KEY, {", ".join(_COLUMNS)}, server TEXT);
{"".join(f"CREATE INDEX server_{column} ON server ({column});" for column in _COLUMNS)}
"""

Change = tuple[str, dict[str, Any]]


class ByHand:
    name = "sqlite3 by hand"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "by_hand.db"
        self._view_path = folder / "by_hand.view.db"
        self._writer = self._connect(self._path)
        self._reader = self._connect(self._path)
        self._writing = Lock()
        self._writer.executescript(_TABLES)

    def _connect(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def fill(self, servers: int, cycles: int) -> None:
        for number in range(servers):
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
        request_id = f"req-{uuid4()}"
        with self._writing:
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            command_id = connection.execute(
                "INSERT INTO commands (kind, server_id, members, user_id, project_id, roles,"
                " request_id, occurred_at, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    kind,
                    str(server),
                    json.dumps(events[-1][1]),
                    "fake",
                    "openstack",
                    '["member"]',
                    request_id,
                    0,
                    0,
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
                    (server.hex, next_version, name, json.dumps(members), command_id)
                    for next_version, (name, members) in enumerate(events, (version or 0) + 1)
                ],
            )
            connection.execute("COMMIT")

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
        rows = self._reader.execute(
            "SELECT originator_id, state FROM stored_events ORDER BY position"
        )
        for originator_id, state in rows:
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

    def durability(self) -> str:
        (journal,) = self._writer.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = self._writer.execute("PRAGMA synchronous").fetchone()
        return f"{journal}/{SYNCHRONOUS[synchronous]}"

    def close(self) -> None:
        self._reader.close()
        self._writer.close()
