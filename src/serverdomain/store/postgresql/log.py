"""The log in PostgreSQL: one for many nodes, each with views in files of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from threading import Condition

from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.server import Server
from serverdomain.errors import StoreDamaged
from serverdomain.store import cache_folder
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log, Tip
from serverdomain.store.postgresql import places
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.batches import Batches
from serverdomain.store.postgresql.bulk import Bulk
from serverdomain.store.postgresql.connections import Connections
from serverdomain.store.postgresql.deciding import Deciding
from serverdomain.store.postgresql.ending import HEAD, require_one
from serverdomain.store.postgresql.examination import PostgreSQLExamination
from serverdomain.store.postgresql.hints import Hints
from serverdomain.store.postgresql.leases import Leases
from serverdomain.store.postgresql.reading import PostgreSQLReading
from serverdomain.store.real_time import monotonic
from serverdomain.store.recent_refusals import RecentRefusals
from serverdomain.store.remembered import Remembered
from serverdomain.store.sqlite.examination import SQLiteExamination
from serverdomain.store.sqlite.locks import Locks
from serverdomain.store.writer import Writer

# After a failover the numbers alone may be those of other commands.
_LAST = (
    "SELECT h.position, h.command_id, h.recorded_at, (SELECT c.request_id FROM {schema}.commands c"
    " WHERE c.command_id = h.command_id) FROM {schema}.head h ORDER BY h.position DESC LIMIT 1"
)
_LOOK_AGAIN, _LOOK_SELDOM = 0.2, 0.8
"""Seconds between two looks at what other nodes have written: alone, and where hints come, too."""


def _nothing_at_once(server_id: str, mark: int | None = None) -> Server | None:
    return None


class PostgreSQLLog(Log):
    """A log in a schema of a PostgreSQL database, which somebody has made."""

    def __init__(self, address: Address, *, keeps_refusals: bool = True) -> None:
        self.address = address
        self.keeps_refusals = keeps_refusals
        self.recent_refusals = RecentRefusals()
        self.connections = Connections(address, writes=not self.read_only)
        self._remembered = Remembered(self)
        self.server = self._remembered.server
        # Whether what is remembered is current, only the database can say; that would be a wait.
        self.server_at_once = _nothing_at_once
        self._grown = Condition()
        self._hints = Hints(self.connections, self.wake)
        self._leases = Leases(self.connections)
        self._batches = Batches(self, self.connections, self._remembered)
        writer = Writer(self)
        self.accept = writer.accept
        self.accept_many = writer.accept_many

    def __str__(self) -> str:
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
        with self._batches.writing() as log:
            yield log
        self._say_it_has_grown()

    @contextmanager
    def bulk(self) -> Iterator[Bulk]:
        """Append much in one transaction."""
        with self._batches.bulk() as log:
            yield log
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
        """``None``: only the database can say it, and that would be a wait."""
        return None

    def asked_mark(self) -> int | None:
        """A hash of what tells the last command: another one once anything was committed."""
        with self.connections.errors(), self.connections.asked(_LAST) as (_, rows):
            return hash(require_one(rows, self))

    def wake(self) -> None:
        """Let those who wait in this process look again."""
        with self._grown:
            self._grown.notify_all()

    def wait_past(self, position: int, seconds: float) -> None:
        """Wait until the log has grown past a position, at most so many seconds."""
        end = monotonic() + seconds
        self._hints.listen()
        with self._grown:
            while True:
                with self.connections.errors(), self.connections.asked(HEAD) as (_, rows):
                    if require_one(rows, self)[0] > position:
                        return
                left = end - monotonic()
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

    def keep_bookmark(
        self, place: Bookmark, instead_of: Bookmark | None, tip: Tip | None = None
    ) -> bool:
        """Keep a reaction's place, if it still stands where it was seen, and this node may."""
        fence = self._leases.fences.get(place.name)
        with self.connections.errors(), self.connections.asked() as (connection, _):
            # On one connection: another may lead to a server that lacks the row.
            log = PostgreSQLReading(connection, self.address.schema)
            stands = tip is None or log.tip(tip.position) == tip
            return stands and places.keep(log, place, instead_of, fence)

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
