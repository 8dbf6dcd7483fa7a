"""The same work with the log in PostgreSQL: ours, `eventsourcing` on the same server, and psycopg.

The server is the one of the tests, but everything is synced. All who stand in a row share it, each
in a schema of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, local
from typing import Any, ClassVar
from uuid import uuid4

import psycopg
from eventsourcing.persistence import InfrastructureFactory

from benchmarks.batches import Batch
from benchmarks.by_hand import ByHand, Change
from benchmarks.idiomatic import Idiomatic
from benchmarks.ours import Ours
from benchmarks.rival import server_id
from serverdomain import Servers
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.arrays import COMMANDS, EVENTS, arrays_of
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.making import init
from serverdomain.store.postgresql.writing import WRITE
from tests.store.postgresql import server


class OneServer:
    """A server for all who stand in a row; it ends with the last of them."""

    running: ClassVar[tuple[server.SharedServer, int] | None] = None

    @classmethod
    def begin(cls, folder: Path) -> str:
        """The URL of a schema of one's own in it."""
        found = server.programs()
        assert found is not None
        one, users = cls.running or (server.SharedServer(folder, found, synced=True), 0)
        cls.running = one, users + 1
        return f"{one.url}&schema=s{uuid4().hex}"

    @classmethod
    def end(cls) -> None:
        """Use it no more."""
        assert cls.running is not None
        one, users = cls.running
        cls.running = (one, users - 1) if users > 1 else None
        if users == 1:
            one.close()


def durability(url: str) -> str:
    """What the server says of how it commits."""
    with psycopg.connect(**Address(url).parameters()) as connection:  # type: ignore[arg-type]
        settings = [
            connection.execute(f"SHOW {name}").fetchone() or ("",)
            for name in ("fsync", "synchronous_commit")
        ]
    return "/".join(str(value) for (value,) in settings)


class InPostgreSQL(Ours):
    name = "serverdomain"

    def __init__(self, folder: Path | None) -> None:
        assert folder is not None
        self.url = OneServer.begin(folder)
        init(Address(self.url))
        self._servers = Servers.open(self.url, view=folder / f"{uuid4().hex}.view.db")
        log: Any = self._servers._log
        self._writing, self._commits = log.writing, 0
        log.writing = self._counted

    def _counted(self, seconds: float | None = None) -> Any:
        self._commits += 1
        return self._writing(seconds)

    def commits(self) -> int:
        return self._commits

    def durability(self) -> str:
        return durability(self.url)

    def close(self) -> None:
        super().close()
        OneServer.end()


class IdiomaticInPostgreSQL(Idiomatic):
    """On the recorder for PostgreSQL that `eventsourcing` ships; its view is in SQLite, as ours."""

    name = "eventsourcing"

    def __init__(self, folder: Path) -> None:
        self.url = OneServer.begin(folder)
        address = Address(self.url)
        with psycopg.connect(**address.parameters(), autocommit=True) as owner:  # type: ignore[arg-type]
            owner.execute(f"CREATE SCHEMA {address.schema}")
        given = address.parameters()
        self.settings = {  # type: ignore[misc]
            InfrastructureFactory.PERSISTENCE_MODULE: "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(given["dbname"]),
            "POSTGRES_HOST": str(given["host"]),
            "POSTGRES_USER": str(given["user"]),
            "POSTGRES_PASSWORD": "",
            "POSTGRES_SCHEMA": address.schema,
            "POSTGRES_POOL_SIZE": "16",
            "POSTGRES_MAX_OVERFLOW": "4",
        }
        super().__init__(folder)

    def durability(self) -> str:
        return durability(self.url)

    def close(self) -> None:
        super().close()
        OneServer.end()


class Psycopg(ByHand):
    """psycopg by hand: our very tables and our statement, and nothing that decides or remembers.

    It knows each server's version, so a command is one round trip.
    """

    name = "psycopg by hand"

    def __init__(self, folder: Path) -> None:
        self.url = OneServer.begin(folder)
        self._address = Address(self.url)
        init(self._address)
        self._view_path = folder / f"{uuid4().hex}.view.db"
        self._write = in_schema(WRITE, self._address.schema)
        self._own, self._opened, self._writing = local(), list[Any](), Lock()
        self._versions: dict[int, int] = {}
        self._commands: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []

    @property
    def _connection(self) -> psycopg.Connection[Any]:
        if not hasattr(self._own, "connection"):
            given: Any = self._address.parameters()
            self._own.connection = psycopg.connect(**given, autocommit=True)
            self._opened.append(self._own.connection)
        connection: psycopg.Connection[Any] = self._own.connection
        return connection

    @contextmanager
    def all_together(self) -> Iterator[None]:
        usually, self.together = self.together, 2_000
        yield
        self.commit()
        self.together = usually

    def commit(self) -> None:
        with self._writing:
            commands, self._commands = self._commands, []
            events, self._events = self._events, []
        if not commands:
            return
        last, many, written = commands[-1][10], len(commands), len(events)
        self._connection.execute(
            self._write,
            (
                *(written, many, last, 0, written, many),
                *arrays_of(commands, len(COMMANDS)),
                *arrays_of(events, len(EVENTS)),
            ),
        )

    def _append(self, number: int, kind: str, *events: Change) -> None:
        server_of, now = server_id(number), time.time_ns() // 1_000
        command = (
            *(kind, str(server_of), json.dumps(events[-1][1]), "fake", "openstack", '["member"]'),
            *(f"req-{uuid4()}", None, None, now, now, 0),
        )
        version = self._versions.get(number, 0)
        self._versions[number] = version + len(events)
        rows = [
            (server_of.hex, after, f"serverdomain:{name}:1", json.dumps(members))
            for after, (name, members) in enumerate(events, version + 1)
        ]
        with self._writing:
            self._commands.append(command)
            self._events += [(*row, len(self._commands)) for row in rows]
            is_full = len(self._commands) >= self.together
        if is_full:
            self.commit()

    def _all(self, query: str, *given: object) -> Iterator[tuple[Any, ...]]:
        with self._connection.transaction(), self._connection.cursor("rows") as cursor:
            cursor.itersize = 2_000
            yield from cursor.execute(in_schema(query, self._address.schema), given)

    def get(self, number: int) -> object:
        found: dict[str, Any] = {}
        query = (
            "SELECT state FROM {schema}.stored_events WHERE originator_id = %s"
            " ORDER BY originator_version"
        )
        for (state,) in self._all(query, server_id(number).hex):
            found.update(json.loads(state))
        return found

    def _states(self) -> Iterator[tuple[Any, ...]]:
        return self._all(
            "SELECT originator_id, state FROM {schema}.stored_events ORDER BY position"
        )

    def durability(self) -> str:
        return durability(self.url)

    def close(self) -> None:
        for connection in self._opened:
            connection.close()
        OneServer.end()


class PsycopgInBatches(Psycopg):
    """By one caller, who waits for nobody."""

    name = "psycopg by hand, in batches of our size"
    shared = False

    def __init__(self, batch: Batch, folder: Path) -> None:
        super().__init__(folder)
        self._batch = batch

    def rename(self, number: int, name: str) -> None:
        self.together = self._batch.size
        super().rename(number, name)

    def rebuild(self, number: int, image_id: str, name: str) -> None:
        self.together = self._batch.size
        super().rebuild(number, image_id, name)
