"""Whether anything was committed to an SQLite file, by any process, without reading a row."""

from __future__ import annotations

import os
import sqlite3
from itertools import count
from threading import Lock

from serverdomain.errors import StoreError
from serverdomain.store.sqlite import forks
from serverdomain.store.sqlite.connections import Connections

_EPOCH = 2**32
"""A connection that is opened anew counts from the beginning again."""


class Watcher:
    """A connection for this alone, opened when it is first needed."""

    def __init__(self, connections: Connections) -> None:
        self.place = connections.place
        self._connections = connections
        self._connection: sqlite3.Connection | None = None
        self._epochs = count()
        self._epoch = 0
        self._closed = False
        self._pid = os.getpid()
        self._watching = Lock()
        self._has_let_go = False
        forks.watch(self)

    def mark(self) -> int | None:
        """A number that changes with every commit; ``None`` if it cannot be read at once."""
        with self._watching:
            if self._closed:
                return None
            try:
                self._connections.require_there()
                if self._connection is None:
                    self._connection = self._connections.open.connect("rw", patience=0)
                    self._epoch = next(self._epochs) * _EPOCH
                (found,) = self._connection.execute("PRAGMA data_version").fetchone()
            except (sqlite3.Error, StoreError):
                return None
        return self._epoch + int(found)

    def let_go(self) -> bool:
        """Close it, and open none until `take_up`."""
        if not self._watching.acquire(blocking=False):
            return False
        self._has_let_go = True
        self._drop()
        return True

    def take_up(self) -> None:
        """Go on, if it has let go."""
        if self._has_let_go:
            self._has_let_go = False
            self._watching.release()

    def close(self) -> None:
        """Close it. In a forked child it stays open, because it is the parent's."""
        if os.getpid() != self._pid:
            return
        with self._watching:
            self._closed = True
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connections.open.drop(self._connection)
            self._connection = None
