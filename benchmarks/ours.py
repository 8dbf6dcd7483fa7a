"""`serverdomain` itself, by its public facade."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.rival import ADDRESS, DOCUMENTED, IMAGES, PERCENTS, SYNCHRONOUS, server_id
from serverdomain import Address, RebuildServer, RegisterServer, Server, Servers
from serverdomain.store.sqlite import SQLiteLog

_THEN = int(datetime(2012, 9, 12, tzinfo=UTC).timestamp()) * 1_000_000


class Ours:
    name = "serverdomain"

    def __init__(self, folder: Path | None) -> None:
        path = None if folder is None else folder / "ours.db"
        self._servers = Servers.open("memory:" if path is None else f"sqlite:///{path}")

    def fill(self, servers: int, cycles: int) -> None:
        for number in range(servers):
            self._servers.register(
                RegisterServer(
                    server_id=str(server_id(number)),
                    created=_THEN,
                    updated=_THEN,
                    addresses={"private": (Address(**ADDRESS),)},
                    **DOCUMENTED,
                )
            )
            for cycle in range(1, cycles + 1):
                self.rebuild(number, IMAGES[cycle % 2], f"name {cycle}")
                for percent in PERCENTS:
                    self._servers.report_progress(str(server_id(number)), percent)
                self.complete(number)
                self._servers.stop(str(server_id(number)))
                self._servers.start(str(server_id(number)))

    def rename(self, number: int, name: str) -> None:
        self._servers.rename(str(server_id(number)), name)

    def rebuild(self, number: int, image_id: str, name: str) -> None:
        accepted = self._servers.rebuild(
            str(server_id(number)), RebuildServer(image_id=image_id, name=name, admin_pass="x")
        )
        assert len(accepted.events) == 3

    def complete(self, number: int) -> None:
        self._servers.complete_rebuild(str(server_id(number)))

    def get(self, number: int) -> Server:
        return self._servers.get(str(server_id(number)))

    def view(self) -> int:
        self._servers.view.replay()
        return self._servers.view.status().servers

    def durability(self) -> str:
        log = self._servers._log
        assert isinstance(log, SQLiteLog)
        with log.connections.writing() as connection:
            (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
            (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        return f"{journal}/{SYNCHRONOUS[synchronous]}"

    def close(self) -> None:
        self._servers.close()
