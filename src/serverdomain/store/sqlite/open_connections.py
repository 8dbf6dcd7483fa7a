"""The open connections to one SQLite file, or to one database in memory.

Readers take an idle one or a new one, and there is one that writes. None is open while the process
is forked.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from threading import Lock

from serverdomain.store.sqlite import forks, wal_size
from serverdomain.store.sqlite.opened_file import OpenedFile
from serverdomain.store.sqlite.place import Place
from serverdomain.store.sqlite.shared_memory import require_room

SYNCHRONOUS = "FULL"  # In WAL mode NORMAL would not sync at a commit.


class OpenConnections:
    """Connections that wait ``patience`` seconds for a lock; see `Connections` for ``durable``."""

    def __init__(self, place: Place, patience: float, *, durable: bool) -> None:
        self.place = place
        self.writing = Lock()
        # A cache may be removed at any time: `ViewFile` looks itself.
        self.file = OpenedFile(place) if durable and place.path is not None else None
        self.wal_size = wal_size.WalSize(str(place.path))
        self._patience = patience
        self._synchronous = SYNCHRONOUS if durable else "NORMAL"
        self.page_size: int | None = None
        """The pages of a file that is made, in bytes; SQLite's own size if nothing is said."""
        self.idle: deque[sqlite3.Connection] = deque()
        self.writer: sqlite3.Connection | None = None
        self.is_wal = False
        """Whether it is known to be in WAL mode, where only BEGIN waits for a lock."""
        self._all: set[sqlite3.Connection] = set()
        self._opening = Lock()
        self._has_let_go = False
        forks.watch(self)

    def open_writer(self) -> sqlite3.Connection:
        """The one that writes, for whoever holds `writing`; in memory it is the only one."""
        self.writer = self.connect("rw", patience=0 if self.is_wal else None)
        if self.file is not None:
            self.file.forget_beside()
        return self.writer

    def in_wal(self) -> None:
        """Note that it is in WAL mode: the one that writes waits for no lock by itself."""
        with self.writing:
            self.is_wal = True
            self.drop_writer()

    def drop_writer(self) -> None:
        """Close the one that writes; the next is opened anew."""
        if self.writer is not None:
            self.drop(self.writer)
            self.writer = None

    def connect(self, mode: str, patience: float | None = None) -> sqlite3.Connection:
        """Open a further connection (``mode`` as in `Place.connect`); the caller drops it.

        Raises `StoreMissing` if the file is no longer the one that the others have open.
        """
        with self._opening:
            forks.require_closed(self.place)
            if mode != "rwc" and self.file is not None:
                self.file.require_there()
            if self.place.path is not None:
                require_room(self.place.path)
            connection = self.place.connect(mode, self._patience if patience is None else patience)
            self._all.add(connection)
        try:
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            if self.page_size is not None:
                connection.execute(f"PRAGMA page_size = {self.page_size}")
            wal_size.limit(connection)
            if self.file is not None:
                self.file.require_there()
        except BaseException:
            self.drop(connection)
            raise
        return connection

    def drop(self, connection: sqlite3.Connection) -> None:
        """Close a connection."""
        connection.close()
        self._all.discard(connection)

    def close_unused(self) -> None:
        """Close those that nobody reads with; the caller holds `writing`."""
        while self.idle:
            self.drop(self.idle.pop())
        self.drop_writer()

    def let_go(self) -> bool:
        """Close what is open, and open nothing until `take_up`; whether nothing is left open."""
        if not self.writing.acquire(blocking=False):
            return False
        if not self._opening.acquire(blocking=False):
            self.writing.release()
            return False
        self._has_let_go = True
        self.close_unused()
        return not self._all

    def take_up(self) -> None:
        """Go on, if it has let go."""
        if self._has_let_go:
            self._has_let_go = False
            self._opening.release()
            self.writing.release()
