"""The log on SQLite, in a file or in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Condition

from serverdomain.domain.progress import Progress, silent
from serverdomain.errors import StoreReadOnly
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log, Tip
from serverdomain.store.recent_refusals import RecentRefusals
from serverdomain.store.remembered import Remembered
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite import schema
from serverdomain.store.sqlite.connections import Connections
from serverdomain.store.sqlite.database import drop_everything, make, use_wal
from serverdomain.store.sqlite.end import Ends
from serverdomain.store.sqlite.examination import SQLiteExamination, examine
from serverdomain.store.sqlite.locks import Locks
from serverdomain.store.sqlite.numbered import SQLiteBulk
from serverdomain.store.sqlite.place import Place, require_writable
from serverdomain.store.sqlite.reading import SQLiteReading
from serverdomain.store.sqlite.watcher import Watcher
from serverdomain.store.sqlite.writing import SQLiteWriting
from serverdomain.store.writer import Writer

# A batch touches pages all over the indexes by server; SQLite keeps 2 MiB of them by itself.
_BULK_CACHE_KIB = 262_144
_PUT = "INSERT OR REPLACE INTO reactions (name, position, stopped_at, why) VALUES (?, ?, ?, ?)"


def prepare(connections: Connections, *, create: bool, log_id: str | None = None) -> None:
    """See that a store of ours is there, of this release's schema, or make one.

    A new one gets a new id, or this.
    Raises `StoreMissing` where there is none and none is to be made, `StoreReadOnly` where there is
    one that cannot be written.
    """
    place = connections.place
    version = 0
    if place.path is not None and places.holds(place.path, schema.APPLICATION_ID, "store"):
        require_writable(place)
        with connections.reading() as connection:
            version = schema.version(connection, place)
            went = schema.moved_to(connection)
        if went is not None:
            raise StoreReadOnly(f"{place} went to {went}: here it is only read (read_only=True)")
    if version == 0:
        if not create:
            raise place.missing
        make(connections)
    if version < len(schema.STEPS):
        with connections.writing() as connection:
            schema.bring_up(connection, place, log_id)
    use_wal(connections)


class SQLiteLog(Log):
    """A log in an SQLite database: two tables that are only appended to."""

    def __init__(
        self,
        place: Place,
        *,
        create: bool = True,
        keeps_refusals: bool = True,
        log_id: str | None = None,
    ) -> None:
        self.place = place
        self.caches: Path | None = place.path
        self.keeps_refusals = keeps_refusals
        self.recent_refusals = RecentRefusals()
        self.connections = Connections(place)
        self._ends = Ends(self.connections)
        self._watcher = Watcher(self.connections)
        self._remembered = Remembered(self)
        self.server = self._remembered.server
        self.server_at_once = self._remembered.server_at_once
        self._grown = Condition()
        self._locks = Locks(place.path)
        writer = Writer(self)
        self.accept = writer.accept
        self.accept_many = writer.accept_many
        try:
            prepare(self.connections, create=create, log_id=log_id)
        except BaseException:
            self.connections.close()
            raise

    @contextmanager
    def writing(self, seconds: float | None = None) -> Iterator[SQLiteWriting]:
        """Decide in one transaction."""
        with self.connections.writing(seconds) as connection:
            log = SQLiteWriting(self, self._remembered, self._ends.now(connection))
            yield log
            log.write()
        self._ends.left(log.committed())
        self.wake()

    @contextmanager
    def bulk(self) -> Iterator[SQLiteBulk]:
        """Append much in one transaction."""
        with self.connections.writing() as connection:
            connection.execute(f"PRAGMA cache_size = -{_BULK_CACHE_KIB}")
            log = SQLiteBulk(self, self._remembered, self._ends.now(connection))
            yield log
            log.write()
        self._ends.left(log.committed())
        self.wake()

    @contextmanager
    def reading(self) -> Iterator[SQLiteReading]:
        """The log as it is now."""
        with self.connections.snapshot() as connection:
            yield SQLiteReading(connection, self._remembered)

    @contextmanager
    def examining(self) -> Iterator[SQLiteExamination]:
        """The log as it is now, on a connection that cannot write."""
        if self.place.path is not None:
            with examine(self.place) as examination:
                yield examination
        else:
            with self.connections.snapshot() as connection:
                yield SQLiteExamination(connection)

    def backup(
        self, path: Path, progress: Progress = silent
    ) -> AbstractContextManager[SQLiteExamination]:
        """Copy the log as it is now into one file, in rollback mode."""
        # Only here: it locks the file as Unix does.
        from serverdomain.store.sqlite.backup import copied

        return copied(self.place, self.connections.snapshot(), path, progress)

    def mark(self) -> int | None:
        """A number that is another one once anything was committed; reads no row."""
        self.connections.require_usable()
        return self._watcher.mark() if self.is_kept else self.connections.commits

    def wake(self) -> None:
        """Let those who wait in this process look again."""
        with self._grown:
            self._grown.notify_all()

    def wait_past(self, position: int, seconds: float) -> None:
        """Wait until the log has grown past a position, at most so many seconds."""
        with self._grown:
            with self.reading() as log:
                if log.head() > position:
                    return
            self._grown.wait(seconds)

    def alone(self, name: str, seconds: float = 0) -> AbstractContextManager[bool]:
        """Whether the caller may work now; the system gives the lock up with its process."""
        # A lock would make the folder of a log that is gone, and put itself where that comes back.
        self.connections.require_there()
        return self._locks.alone(name, seconds)

    def keep_bookmark(
        self, place: Bookmark, instead_of: Bookmark | None, tip: Tip | None = None
    ) -> bool:
        """Keep a reaction's place, if it still stands where it was seen."""
        with self.connections.writing() as connection:
            log = SQLiteReading(connection)
            if log.bookmark(place.name) != instead_of:
                return False
            if tip is not None and log.tip(tip.position) != tip:
                return False
            connection.execute(_PUT, (place.name, place.position, place.stopped_at, place.why))
        return True

    @property
    def is_kept(self) -> bool:
        """Whether it is in a file, not in memory."""
        return self.place.path is not None

    def forget(self) -> None:
        """Throw a log in memory away, and begin an empty one."""
        assert not self.is_kept
        with self.connections.writing() as connection:
            drop_everything(connection)
            schema.bring_up(connection, self.place)
        self._remembered.forget()

    def close(self) -> None:
        """Close the database."""
        self.connections.close()
        self._watcher.close()
