"""Whether anything was committed to an SQLite file, by any process, without reading a row."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from threading import Lock


class Watcher:
    """A connection for this alone, opened when it is first needed."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._pid = os.getpid()
        self._watching = Lock()

    def mark(self) -> int | None:
        """A number that changes with every commit; ``None`` if it cannot be read at once."""
        with self._watching:
            if self._closed:
                return None
            try:
                if self._connection is None:
                    self._connection = self._connect()
                (found,) = self._connection.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:
                return None
        return int(found)

    def close(self) -> None:
        """Close it. In a forked child it stays open, because it is the parent's."""
        if os.getpid() != self._pid:
            return
        with self._watching:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None
