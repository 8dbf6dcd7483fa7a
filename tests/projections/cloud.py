"""A small cloud in a folder: a store, servers on it, and what its view has to show."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlite_utils import hookimpl, plugins

from serverdomain import CreateServer, NotFound, Server, Servers
from serverdomain.projections.server_view import ServerView
from serverdomain.store.opening import open_log
from serverdomain.store.sqlite import SQLiteLog
from serverdomain.testing import ManualClock
from tests.store.owner import owner_of

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
OTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
NEWER = "serverdomain:ServerTeleported:1"
_TRICK_ADDED = ("dogs:Dog.TrickAdded", b"{}", *[None] * 13)


class Cloud:
    """The log of a URL, or ``cloud.db`` in a folder, with servers on it, open."""

    def __init__(self, where: Path | str = "memory:", name: str = "cloud.db") -> None:
        self.url = where if isinstance(where, str) else f"sqlite:///{where / name}"
        self.path = Path(self.url.removeprefix("sqlite:///"))
        self.store = open_log(self.url)
        self._caches = self.store.caches
        self.clock = ManualClock()
        self.servers = Servers(self.store, self.clock)

    def __enter__(self) -> "Cloud":
        return self

    def __exit__(self, *error: object) -> None:
        self.servers.close()

    @property
    def view_path(self) -> Path:
        assert self._caches is not None
        return self._caches.with_name(f"{self._caches.stem}.view.db")

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
        with self.store.reading() as log:
            known = {server_id for _, _, server_id, *_ in log.commands()}
            if position is not None:
                found = [log.history(one, position=position).server for one in known]
            else:
                found = [self._get(one) for one in known]
        there = [server for server in found if server is not None and not server.deleted]
        return sorted(there, key=lambda server: (-server.created_micros, -server.first_position))

    def _get(self, server_id: str) -> Server | None:
        try:
            return self.servers.get(server_id)
        except NotFound:
            return None

    def append_newer(self, server_id: str) -> int:
        """Append an event of a newer release to a server; gives back its position."""
        stream = server_id.replace("-", "")
        with self.store.reading() as log:
            its = [row for rows in log.rows() for row in rows if row[1] == stream]
        _, _, version, _, _, *command = its[-1]
        return self._append([(stream, version + 1, NEWER, "{}", *command)])

    def append_foreign(self, stream: UUID, versions: Iterable[int]) -> None:
        """Append what another `eventsourcing` application records."""
        self._append([(stream.hex, one, *_TRICK_ADDED) for one in versions])

    def leave_a_gap(self, position: int) -> None:
        """Append another application's event at a position of its own."""
        with owner_of(self.store) as log:
            log.execute(
                "INSERT INTO stored_events (position, originator_id, originator_version, topic,"
                f" state) VALUES ({position}, '{uuid4().hex}', 1, 'dogs:Dog.TrickAdded', '{{}}')"
            )
            if not isinstance(self.store, SQLiteLog):
                log.execute(f"UPDATE head SET position = {position}")

    def _append(self, rows: list[tuple[Any, ...]]) -> int:
        with self.store.bulk() as log:
            head = log.head()
            log.append_rows([(head + number, *row) for number, row in enumerate(rows, 1)])
            return head + len(rows)


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
