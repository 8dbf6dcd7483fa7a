"""A small cloud in a folder: a store, servers on it, and what its view has to show."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

from sqlite_utils import hookimpl, plugins

from serverdomain import CreateServer, NotFound, Server, Servers
from serverdomain.projections.server_view import ServerView
from serverdomain.store.opening import open_log
from serverdomain.store.sqlite.reading import SQLiteReading
from serverdomain.testing import ManualClock

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
OTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
NEWER = "serverdomain:ServerTeleported:1"


class Cloud:
    """The store ``cloud.db`` of a folder (or in memory, without one), open."""

    def __init__(self, folder: Path | None = None, name: str = "cloud.db") -> None:
        self.path = None if folder is None else folder / name
        self.url = "memory:" if folder is None else f"sqlite:///{self.path}"
        self.store = open_log(self.url)
        self.clock = ManualClock()
        self.servers = Servers(self.store, self.clock)

    def __enter__(self) -> "Cloud":
        return self

    def __exit__(self, *error: object) -> None:
        self.servers.close()

    @property
    def view_path(self) -> Path:
        assert self.path is not None
        return self.path.with_name(f"{self.path.stem}.view.db")

    def view(self, given: Path | None = None, page: int = 2_000) -> ServerView:
        return ServerView(self.store, given, page)

    def create(self, name: str = "foobar") -> str:
        self.clock.advance(1)
        return self.servers.create(self.creation(name)).id

    def creation(self, name: str) -> CreateServer:
        return CreateServer(name=name, image_id=IMAGE, flavor_id="1")

    def rename(self, server_id: str, *names: str) -> None:
        for name in names:
            self.servers.rename(server_id, name)

    def folded(self, position: int | None = None) -> list[Server]:
        """What the fold makes of every server, now or as of a position, in the list's order."""
        with self.store.connections.reading() as log:
            known = log.execute("SELECT DISTINCT server_id FROM commands").fetchall()
            if position is not None:
                found = [
                    SQLiteReading(log).history(server_id, position=position).server
                    for (server_id,) in known
                ]
            else:
                found = [self._get(server_id) for (server_id,) in known]
        there = [server for server in found if server is not None and not server.deleted]
        return sorted(there, key=lambda server: (-server.created_micros, -server.first_position))

    def _get(self, server_id: str) -> Server | None:
        try:
            return self.servers.get(server_id)
        except NotFound:
            return None

    def append_newer(self, server_id: str) -> int:
        """Append an event of a newer release to a server; gives back its position."""
        with self.store.connections.writing() as log:
            cursor = log.execute(
                "INSERT INTO stored_events"
                " (originator_id, originator_version, topic, state, command_id)"
                " SELECT originator_id, MAX(originator_version) + 1, ?, '{}', command_id"
                " FROM stored_events WHERE originator_id = ?",
                (NEWER, server_id.replace("-", "")),
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def append_foreign(self, stream: UUID, versions: Iterable[int]) -> None:
        """Append what another `eventsourcing` application records."""
        with self.store.connections.writing() as log:
            log.executemany(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
                " VALUES (?, ?, 'dogs:Dog.TrickAdded', '{}')",
                [(stream.hex, version) for version in versions],
            )


def rows(path: Path, columns: str = "id, name") -> list[tuple[object, ...]]:
    """What an outsider reads in a view's file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {columns} FROM server ORDER BY id").fetchall()


def change(path: Path, *statements: str) -> None:
    """What an outsider does to a database."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def generations(path: Path) -> list[int]:
    """The numbers of the tables of rows in a view's file."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE name GLOB 'server_[0-9]*'")
        return sorted(int(name.removeprefix("server_")) for (name,) in found)


@contextmanager
def without_plugins() -> Iterator[None]:
    """Fails where a plugin of sqlite-utils would be let near a database."""

    class Plugin:
        @hookimpl
        def prepare_connection(self, conn: sqlite3.Connection) -> None:
            raise AssertionError("a plugin was let in")

    plugins.pm.register(plugin := Plugin())
    try:
        yield
    finally:
        plugins.pm.unregister(plugin)


class Process:
    """Another process that runs a script and answers in lines of JSON."""

    def __init__(self, script: str, *arguments: object) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *error: object) -> None:
        self.popen.kill()
        self.popen.communicate()

    def hear(self) -> object:
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        if not line:
            raise AssertionError(self.popen.communicate()[1])
        return json.loads(line)

    def tell(self) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()

    def end(self) -> None:
        _, errors = self.popen.communicate()
        assert self.popen.returncode == 0, errors
