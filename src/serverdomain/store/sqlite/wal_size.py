"""How long the ``-wal`` beside a database may get.

SQLite begins it anew once everything in it is in the database and nobody reads it, and leaves the
file as long as it was. And where readers follow each other without a gap, it never begins anew.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress

KEPT = 16 * 1024 * 1024
"""How long the file stays once it begins anew; ordinary load takes a quarter of that."""

LONGEST = 32 * 1024 * 1024
"""From this length on a commit waits a moment for the readers, so that it can be emptied."""

EVERY = 16
"""Commits between two looks at its length."""

_MOMENT = 0.05
"""Seconds that it waits at `LONGEST`, and in proportion where it is longer."""

_MOST = 1.0


def limit(connection: sqlite3.Connection) -> None:
    """Let SQLite cut the file when it begins anew: one call of the system, and not at a commit."""
    connection.execute(f"PRAGMA journal_size_limit = {KEPT}")


class WalSize:
    """The length of one ``-wal``, as its writer sees it."""

    def __init__(self, path: str) -> None:
        self._path = f"{path}-wal"
        self._empty_at = 0

    def committed(self, connection: sqlite3.Connection, patience: float) -> None:
        """Empty it if it is too long, after a commit; ``patience`` is the connection's own.

        Where a reader stays for long, tries again once it has grown by `KEPT`.
        """
        try:
            length = os.stat(self._path).st_size
        except OSError:
            return
        if length < max(LONGEST, self._empty_at):
            return
        moment = min(_MOMENT * length / LONGEST, _MOST)
        # What is committed stays so, whatever comes of this.
        with suppress(sqlite3.Error):
            connection.execute(f"PRAGMA busy_timeout = {int(moment * 1000)}")
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._empty_at = length + KEPT if busy else 0
            connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
