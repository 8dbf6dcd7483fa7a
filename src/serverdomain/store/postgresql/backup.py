"""A log in PostgreSQL as one file: one of SQLite's, with the same rows, so that it opens anywhere.

What pg_dump makes is another matter: the whole database, to be put back into one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from serverdomain.domain.progress import Progress
from serverdomain.store import durable
from serverdomain.store.log import Reading
from serverdomain.store.sqlite.backup import require_nothing_beside
from serverdomain.store.sqlite.examination import SQLiteExamination, read_only
from serverdomain.store.sqlite.faults import store_error
from serverdomain.store.sqlite.filling import fill
from serverdomain.store.sqlite.place import Place


@contextmanager
def copied(
    source: object, snapshot: AbstractContextManager[Reading], path: Path, progress: Progress
) -> Iterator[SQLiteExamination]:
    """A copy of the log, to be read; it takes its place at ``path`` when the block ends."""
    what = f"{path}, a copy of {source},"
    with durable.adding(path, "out", 0o600) as file:
        require_nothing_beside(path)
        part = Place(Path(file.name))
        with snapshot as log:
            fill(part, log, progress, what)
        with read_only(part) as connection:
            try:
                yield SQLiteExamination(connection)
            except sqlite3.Error as error:
                raise store_error(error, what) from error
