"""One operation that fails, and what SQLite is told then."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from .log import Operation

ERRORS: dict[Operation, int] = {
    "write": sqlite3.SQLITE_IOERR_WRITE,
    "truncate": sqlite3.SQLITE_IOERR_TRUNCATE,
    "sync": sqlite3.SQLITE_IOERR_FSYNC,
}


@dataclass(frozen=True)
class Fault:
    """The nth operation of its kind fails, counted from 1 over all files; later ones succeed."""

    operation: Operation
    nth: int
