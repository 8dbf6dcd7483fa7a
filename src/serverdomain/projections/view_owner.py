"""Which log a view follows, and where that lies.

A view says so itself, so that another log that comes to its place can see whether its own is still
there. One that release 0.1.0 made says only which log.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from serverdomain.errors import StoreError, StoreForeign, StoreMissing
from serverdomain.store.sqlite.examination import examine
from serverdomain.store.sqlite.place import Place


def write(connection: sqlite3.Connection, log_id: str, log_path: Path | None) -> None:
    """Note whose view it is, in a new one."""
    connection.execute("CREATE TABLE follows (log_id TEXT NOT NULL, log_path BLOB)")
    connection.execute("INSERT INTO follows VALUES (?, ?)", (log_id, _stored(log_path)))


def log_ids(connection: sqlite3.Connection) -> list[Any]:
    """The id of its log; a sound view has one."""
    return [row[0] for row in connection.execute("SELECT log_id FROM follows").fetchall()]


def is_at(connection: sqlite3.Connection, log_path: Path | None) -> bool:
    """Whether it says that its log lies there."""
    return _found(connection) == _stored(log_path)


def move(connection: sqlite3.Connection, log_path: Path | None) -> None:
    """Note where its log lies now."""
    if not _says_where(connection):
        connection.execute("ALTER TABLE follows ADD COLUMN log_path BLOB")
    connection.execute("UPDATE follows SET log_path = ?", (_stored(log_path),))


def is_gone(connection: sqlite3.Connection, ours: Path | None, log_ids: list[Any]) -> bool:
    """Whether its log is no longer there; the view lies at the default place of the log ``ours``.

    For a view of 0.1.0 this is a guess: then ``cloud`` had its view where ``cloud.db`` has, and
    somebody may have given the file as the view of a log elsewhere, which has it open.
    """
    if ours is None:
        return False
    stored = _found(connection)
    if stored is None:
        if _is_open(connection):
            return False
        path = ours.with_name(ours.name.removesuffix(".db") or ours.name)
    else:
        path = Path(os.fsdecode(stored))
    return not any(_is_log(path, log_id) for log_id in log_ids)


def _stored(path: Path | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def _says_where(connection: sqlite3.Connection) -> bool:
    columns = connection.execute("PRAGMA table_info(follows)").fetchall()
    return any(column[1] == "log_path" for column in columns)


def _found(connection: sqlite3.Connection) -> bytes | None:
    if not _says_where(connection):
        return None
    row = connection.execute("SELECT log_path FROM follows").fetchone()
    return row[0] if row and isinstance(row[0], bytes) else None


def _is_open(connection: sqlite3.Connection) -> bool:
    (_, _, file) = connection.execute("PRAGMA database_list").fetchone()
    wal = Path(f"{file}-wal")
    return os.path.exists(wal) and wal.stat().st_size > 0


def _is_log(path: Path, log_id: Any) -> bool:
    """Whether a log of this id lies at a path; also if nobody can tell."""
    try:
        with examine(Place(path)) as log:
            return bool(log.log_id() == log_id)
    except (StoreMissing, StoreForeign):
        return False
    except (StoreError, sqlite3.Error, ValueError):
        return True
