"""`serverdomain` itself, by its public facade."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.filling import life, written
from benchmarks.rival import SYNCHRONOUS, server_id
from serverdomain import RebuildServer, Server, Servers
from serverdomain.store.sqlite import SQLiteLog


class Ours:
    name = "serverdomain"
    shared = True

    def __init__(self, folder: Path | None) -> None:
        path = None if folder is None else folder / f"{type(self).__name__}.db"
        self._servers = Servers.open("memory:" if path is None else f"sqlite:///{path}")

    def fill(self, servers: int, cycles: int) -> None:
        written(self._servers, range(servers), cycles)

    def live(self, numbers: Iterable[int], cycles: int) -> None:
        for number in numbers:
            for command in life(number, cycles):
                self._servers.command(str(server_id(number)), command)

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

    def commits(self) -> int:
        log = self._servers._log
        assert isinstance(log, SQLiteLog)
        # An older checkout does not count them.
        return getattr(log.connections, "commits", 0)

    def durability(self) -> str:
        log = self._servers._log
        assert isinstance(log, SQLiteLog)
        with log.connections.writing() as connection:
            (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
            (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        return f"{journal}/{SYNCHRONOUS[synchronous]}"

    def close(self) -> None:
        self._servers.close()
