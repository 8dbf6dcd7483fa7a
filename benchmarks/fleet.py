"""A made-up fleet: made beside its bare rows, and reported on beside its histories, one by one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.ours import Ours
from serverdomain import Servers
from serverdomain.audit import reports
from serverdomain.audit.reports.rebuilds import percentiles
from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log
from serverdomain.store.sqlite import schema

_SEED = 1


class Fleet(Ours):
    """Beside its few servers, a log with a fleet in it, which all of these share."""

    def __init__(self, folder: Path | None) -> None:
        assert folder is not None
        self._folder = folder / "fleet"
        self._folder.mkdir(exist_ok=True)
        super().__init__(self._folder)
        self._path = self._folder / "fleet.db"
        self._fleet = open_log(f"sqlite:///{self._path}")
        self._number = count()

    def fill(self, servers: int, cycles: int) -> None:
        if not self._servers.list():
            super().fill(min(servers, 3), cycles)
        with self._fleet.reading() as log:
            head = log.head()
        if not head:
            generate(self._fleet, servers, _SEED)
        self._size = servers

    def close(self) -> None:
        self._fleet.close()
        super().close()


class Generating(Fleet):
    """What ``generate`` does."""

    def make(self) -> None:
        path = self._folder / f"{type(self).__name__}-{next(self._number)}.db"
        with closing(open_log(f"sqlite:///{path}")) as store:
            generate(store, self._size, _SEED)
        path.unlink()


class InsertingRows(Generating):
    """The same rows, known already, into the same tables with their guards, in one transaction."""

    name = "sqlite3, its rows inserted"

    def fill(self, servers: int, cycles: int) -> None:
        super().fill(servers, cycles)
        with closing(sqlite3.connect(self._path)) as log:
            self._rows = [
                log.execute(f"SELECT * FROM {table}").fetchall()
                for table in ("commands", "stored_events")
            ]

    def make(self) -> None:
        path = self._folder / f"{type(self).__name__}-{next(self._number)}.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            schema.bring_up(connection, path)
            for table, rows in zip(("commands", "stored_events"), self._rows, strict=True):
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            connection.execute("COMMIT")
        path.unlink()


class Reporting(Fleet):
    """The three reports, from the timeline."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(folder)
        self._facade = Servers(self._fleet)

    def fill(self, servers: int, cycles: int) -> None:
        super().fill(servers, cycles)
        self._facade.timeline.catch_up()

    def report(self) -> dict[str, Any]:
        timeline = self._facade.timeline
        rebuilds, images = reports.rebuilds(timeline), reports.images(timeline)
        return {
            "rebuilds": rebuilds.outcomes,
            "took": rebuilds.seconds["p50"],
            "images": {use.image_id: use.now for use in images.images if use.now},
            "metadata": reports.lost_metadata(timeline).rebuilds,
        }

    def close(self) -> None:
        self._facade.close()
        super().close()


class AskingHistories(Reporting):
    """The same figures without a view: every server's history, folded."""

    name = "every history, folded"

    def report(self) -> dict[str, Any]:
        with closing(sqlite3.connect(self._path)) as log:
            ids = log.execute("SELECT DISTINCT server_id FROM commands").fetchall()
        outcomes: dict[str, int] = {}
        images: dict[str, int] = {}
        took: list[float] = []
        lost = 0
        for (server_id,) in ids:
            history = self._facade.history(server_id)
            asked = {one.request_id for one in history if one.name == "RebuildRequested"}
            requested: dict[str, Any] = {}
            image = None
            for one in history:
                for change in one.changes:
                    if change.path == "/image/id":
                        image = change.after
                lost += (
                    one.name == "MetadataReplaced"
                    and one.request_id in asked
                    and any(change.after is None for change in one.changes)
                )
                status = [change for change in one.changes if change.path == "/status"]
                if one.name == "RebuildRequested":
                    requested[one.request_id] = one.occurred_at
                elif requested and status and status[0].before == "REBUILD":
                    began = requested.popitem()[1]
                    ended = _ENDS[one.name]
                    outcomes[ended] = outcomes.get(ended, 0) + 1
                    if ended == "completed":
                        took.append((one.occurred_at - began).total_seconds())
            if requested:
                outcomes["never"] = outcomes.get("never", 0) + 1
            if image is not None:
                images[str(image)] = images.get(str(image), 0) + 1
        return {
            "rebuilds": outcomes,
            "took": percentiles(took)["p50"],
            "images": images,
            "metadata": lost,
        }


_ENDS = {
    "RebuildCompleted": "completed",
    "RebuildFailed": "failed",
    "StateReset": "reset",
    "ServerDeleted": "deleted",
}
