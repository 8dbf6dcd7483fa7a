"""The log in PostgreSQL: one for many nodes, each with views in files of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from threading import Condition

from serverdomain.domain.progress import Progress, silent
from serverdomain.errors import StoreDamaged
from serverdomain.store import cache_folder
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log, Row
from serverdomain.store.postgresql import bookmarks
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.bulk import Bulk
from serverdomain.store.postgresql.connections import Connections
from serverdomain.store.postgresql.deciding import Deciding
from serverdomain.store.postgresql.examination import PostgreSQLExamination
from serverdomain.store.postgresql.feed import tip_of
from serverdomain.store.postgresql.hints import Hints
from serverdomain.store.postgresql.leases import Leases
from serverdomain.store.postgresql.reading import PostgreSQLReading
from serverdomain.store.postgresql.writing import HEAD, HEAD_AND_TIP, require_here
from serverdomain.store.recent_refusals import RecentRefusals
from serverdomain.store.remembered import Remembered
from serverdomain.store.sqlite.examination import SQLiteExamination
from serverdomain.store.sqlite.locks import Locks
from serverdomain.store.writer import Writer

_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_LOOK_AGAIN, _LOOK_SELDOM = 0.2, 0.8
"""Seconds between two looks at what other nodes have written: alone, and where hints come, too."""


class PostgreSQLLog(Log):
    """A log in a schema of a PostgreSQL database, which somebody has made."""

    def __init__(self, address: Address, *, keeps_refusals: bool = True) -> None:
        self.address = address
        self.keeps_refusals = keeps_refusals
        self.recent_refusals = RecentRefusals()
        self.connections = Connections(address)
        self._remembered = Remembered(self)
        self.server = self._remembered.server
        self.server_at_once = self._remembered.server_at_once
        self._grown = Condition()
        self._hints = Hints(self.connections, self.wake)
        self._leases = Leases(self.connections)
        writer = Writer(self)
        self.accept = writer.accept
        self.accept_many = writer.accept_many
        self._asks = self.connections.in_schema(HEAD)

    def __str__(self) -> str:
        """Where it lies, not where its caches do."""
        return str(self.address)

    @cached_property
    def caches(self) -> Path | None:  # type: ignore[override]
        """The path beside which lies what this node makes from it; ``None`` for memory."""
        try:
            with self.reading() as log:
                return cache_folder.caches_of(log.log_id(), Path(f"/{self.address.schema}.db"))
        except StoreDamaged:
            return None

    @cached_property
    def _locks(self) -> Locks:
        return Locks(self.caches)

    @contextmanager
    def writing(self, seconds: float | None = None) -> Iterator[Deciding]:
        """Decide, then write by one statement."""
        asks = self.connections.in_schema(HEAD_AND_TIP)
        with self.connections.errors(), self.connections.asked(asks) as (connection, rows):
            head = self._one(rows)
            numbers, tip = require_here(head, self.address), tip_of(head[4:])
            log = Deciding(connection, self.address.schema, self, self._remembered, numbers, tip)
            yield log
            log.write()
        self._say_it_has_grown()

    @contextmanager
    def bulk(self) -> Iterator[Bulk]:
        """Append much in one transaction."""
        with self.connections.errors(), self.connections.begun(_WRITING) as connection:
            rows = connection.execute(self.connections.in_schema(f"{HEAD} FOR UPDATE")).fetchall()
            head = require_here(self._one(rows), self.address)
            # What is appended here may never be committed: nothing of it is remembered.
            log = Bulk(connection, self.address.schema, self, None, head)
            yield log
            log.flush()
        self._say_it_has_grown()

    @contextmanager
    def reading(self) -> Iterator[PostgreSQLReading]:
        """The log as it is now."""
        with self.connections.snapshot() as connection:
            yield PostgreSQLReading(connection, self.address.schema, self._remembered)

    @contextmanager
    def examining(self) -> Iterator[PostgreSQLExamination]:
        """The log as it is now, for a check."""
        with self.connections.snapshot() as connection:
            yield PostgreSQLExamination(connection, self.address.schema)

    def backup(
        self, path: Path, progress: Progress = silent
    ) -> AbstractContextManager[SQLiteExamination]:
        """Copy the log as it is now into a file of SQLite's, which opens by itself."""
        from serverdomain.store.postgresql.backup import copied

        return copied(self.reading(), path, progress)

    def mark(self) -> int | None:
        """The number of the last command: another one once anything was committed."""
        with self.connections.errors(), self.connections.asked(self._asks) as (_, rows):
            return int(self._one(rows)[1])

    def wake(self) -> None:
        """Let those who wait in this process look again."""
        with self._grown:
            self._grown.notify_all()

    def wait_past(self, position: int, seconds: float) -> None:
        """Wait until the log has grown past a position, at most so many seconds."""
        end = time.monotonic() + seconds
        self._hints.listen()
        with self._grown:
            while True:
                with self.connections.errors(), self.connections.asked(self._asks) as (_, rows):
                    if self._one(rows)[0] > position:
                        return
                left = end - time.monotonic()
                pause = _LOOK_SELDOM if self._hints.listening.is_set() else _LOOK_AGAIN
                if left <= 0 or self._grown.wait(min(left, pause)):
                    return

    def alone(self, name: str, seconds: float = 0) -> AbstractContextManager[bool]:
        """Whether the caller may work now: of this node for its files, of all for a reaction."""
        if name.startswith("_"):
            return self._locks.alone(name, seconds)
        return self._leases.alone(name, seconds)

    def still_alone(self, name: str) -> bool:
        """Whether who was let work under a name may go on: a lease ends while its holder sleeps."""
        return name.startswith("_") or self._leases.still_alone(name)

    def keep_bookmark(self, place: Bookmark, instead_of: Bookmark | None) -> bool:
        """Keep a reaction's place, if it still stands where it was seen, and this node may."""
        return bookmarks.keep(
            self.connections, place, instead_of, self._leases.fences.get(place.name)
        )

    @property
    def is_kept(self) -> bool:
        """True: it is in a database."""
        return True

    def forget(self) -> None:
        """Nothing: it is kept."""
        raise AssertionError("a log in PostgreSQL is kept")

    def close(self) -> None:
        """Give the connections back."""
        self._hints.close()
        self.connections.close()

    def _say_it_has_grown(self) -> None:
        self.wake()
        self._hints.tell()

    def _one(self, heads: list[Row]) -> Row:
        if len(heads) != 1:
            raise StoreDamaged(f"{self.address} has {len(heads)} rows in head, one is allowed")
        return heads[0]
