"""The same work with the log in PostgreSQL: ours, and `eventsourcing` on the same server.

The server is the one of the tests, but everything is synced. All who stand in a row share it, each
in a schema of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import psycopg
from eventsourcing.persistence import InfrastructureFactory

from benchmarks.idiomatic import Idiomatic
from benchmarks.ours import Ours
from serverdomain import Servers
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.making import init
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
