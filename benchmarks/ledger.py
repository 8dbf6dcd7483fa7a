"""Verifying a log against a checkpoint, beside the least that anybody could do with the same rows.

All three read one file, which is made once.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from benchmarks.ours import Ours
from serverdomain import Servers

_COMMAND = (
    "c.kind, c.server_id, c.members, c.user_id, c.project_id, c.roles, c.request_id,"
    " c.correlation_id, c.caused_by, c.occurred_at, c.recorded_at, c.refused"
)
_ROWS = (
    "SELECT e.position, e.originator_id, e.originator_version, e.topic, e.state, e.command_id,"
    f" {_COMMAND} FROM stored_events e LEFT JOIN commands c USING (command_id) ORDER BY e.position"
)


class Verifying(Ours):
    """What ``ledger verify`` does, its progress told as a terminal's bar would have it told."""

    def __init__(self, folder: Path | None) -> None:
        assert folder is not None
        self._folder = folder
        self._path = folder / "ledger.db"
        self._servers = Servers.open(f"sqlite:///{self._path}")

    def fill(self, servers: int, cycles: int) -> None:
        if not self._servers.list():
            super().fill(servers, cycles)
        self._servers.ledger.checkpoint(self._folder / "key", self._folder / "signed")

    def verify(self) -> int:
        told = []
        verdict = self._servers.ledger.verify(
            self._folder / "signed",
            [self._folder / "key.pub"],
            lambda done, events: told.append((done, events)),
        )
        assert not verdict.problems
        return verdict.events


class HashingRows(Verifying):
    """A bare loop: each row, its values as text behind each other, and SHA-256 of that."""

    name = "sqlite3, each row hashed"

    def verify(self) -> int:
        events = 0
        with closing(sqlite3.connect(self._path)) as connection:
            for row in connection.execute(_ROWS):
                sha256("".join(map(str, row)).encode()).digest()
                events += 1
        return events


class HashingStates(Verifying):
    """A barer one, which is no verifier: the same rows, and SHA-256 of the event's JSON alone."""

    name = "sqlite3, its JSON hashed"

    def verify(self) -> int:
        events = 0
        with closing(sqlite3.connect(self._path)) as connection:
            for row in connection.execute(_ROWS):
                sha256(row[4].encode()).digest()
                events += 1
        return events
