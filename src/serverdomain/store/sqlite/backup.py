"""A log as one more file: its pages as of one moment, copied while others go on writing.

SQLite's online backup, with a snapshot held while it copies: it tells how far it is, and is three
times as quick as ``VACUUM INTO``, which would write every row anew. A log has no free pages that
this would save.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from serverdomain.domain.progress import Progress
from serverdomain.errors import InvalidInput
from serverdomain.store import durable
from serverdomain.store.sqlite.examination import SQLiteExamination, read_only
from serverdomain.store.sqlite.faults import store_error
from serverdomain.store.sqlite.opened_file import out_of_reach
from serverdomain.store.sqlite.place import Place

_STEP = 1_000
"""Pages between two reports of progress, 4 MiB."""


@contextmanager
def copied(
    source: Place,
    snapshot: AbstractContextManager[sqlite3.Connection],
    path: Path,
    progress: Progress,
) -> Iterator[SQLiteExamination]:
    """A copy of the log, to be read; it takes its place at ``path`` when the block ends."""
    what = f"{path}, a copy of {source},"
    with durable.adding(path, "out", _mode(source)) as file:
        require_nothing_beside(path)
        part = Place(Path(file.name))
        with snapshot as connection:
            _copy(connection, part, progress, what)
        with read_only(part) as connection:
            try:
                yield SQLiteExamination(connection)
            except sqlite3.Error as error:
                raise store_error(error, what) from error


def _mode(source: Place) -> int:
    # Whoever may not read the log may not read its copy; whoever makes it writes it, even if they
    # may only read the log.
    if source.path is None:
        return 0o666
    try:
        return os.stat(source.path).st_mode & 0o666 | 0o600
    except OSError:
        raise out_of_reach(source, "is gone") from None


def require_nothing_beside(path: Path) -> None:
    """Raise `InvalidInput` where files lie that SQLite would take for a part of a new one."""
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(f"{path.name}{suffix}")
        if os.path.lexists(beside):
            raise InvalidInput(
                "out",
                f"{str(beside)!r} is there, left of another file: SQLite would take it for a part "
                "of the copy; a name with nothing beside it is allowed",
            )


def _copy(source: sqlite3.Connection, part: Place, progress: Progress, what: str) -> None:
    # The snapshot begins with the first look. Without it a commit would begin the copy anew.
    source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    try:
        with closing(part.connect("rw", 0)) as copy:
            # Nobody else knows the file, and it is synced at the end.
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")
            source.backup(
                copy,
                pages=_STEP,
                progress=lambda _, remaining, pages: progress(pages - remaining, pages),
            )
            # Its header says that it has a write-ahead log, as the log's does.
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise store_error(error, what) from error
