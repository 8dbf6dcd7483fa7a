"""Where a store lies: its URL, in SQLAlchemy's form, and what is already there.

Before a file is opened for use, it is checked what it is: a file of somebody else is never touched.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from serverdomain.errors import InvalidInput, StoreDamaged, StoreError, StoreForeign, StoreMissing

_FORMS = "sqlite:///relative.db, sqlite:////absolute.db or memory: is allowed"
_MEMORY = ("memory:", "sqlite://", "sqlite:///:memory:")
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")


class Place(NamedTuple):
    """The place of a store or view: an absolute path, or ``None`` for memory."""

    path: Path | None

    def __str__(self) -> str:
        return "memory:" if self.path is None else str(self.path)

    def uri(self, mode: str) -> str:
        """The SQLite URI that opens it (``mode``: ``rw`` or ``rwc``)."""
        return ":memory:" if self.path is None else f"{self.path.as_uri()}?mode={mode}"

    def connect(self, mode: str, patience: float) -> sqlite3.Connection:
        """Open a connection for threads to share; it waits ``patience`` seconds for a lock."""
        return sqlite3.connect(
            self.uri(mode),
            uri=True,
            timeout=patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )

    def beside(self, what: str) -> Place:
        """The place of its ``view`` or the like: ``cloud.view.db`` beside ``cloud.db``."""
        return self if self.path is None else Place(_named(self.path, f"{what}.db"))

    def keyframes(self) -> Path | None:
        """The folder of its keyframes: ``cloud.keyframes`` beside ``cloud.db``."""
        return None if self.path is None else _named(self.path, "keyframes")


def _named(path: Path, what: str) -> Path:
    # Another sign for names without .db, so that ``cloud`` and ``cloud.db`` share no place.
    stem = path.name.removesuffix(".db")
    has_suffix = stem not in ("", path.name)
    return path.with_name(f"{stem}.{what}" if has_suffix else f"{path.name}-{what}")


def from_url(url: str) -> Place:
    """Read a store URL; everything after ``sqlite:///`` is the path, unchanged."""
    if not isinstance(url, str):
        raise InvalidInput("store", f"{url!r} came, {_FORMS}")
    if url in _MEMORY:
        return Place(None)
    path = url.removeprefix("sqlite:///")
    if path == url or not path:
        raise InvalidInput("store", f"{url!r} came, {_FORMS}")
    return from_path(path, "store")


def from_path(path: str | Path, field: str) -> Place:
    """The place of a file: of the one that a symbolic link leads to, as SQLite opens it."""
    if "\0" in str(path):
        raise InvalidInput(field, f"{str(path)!r} holds a NUL, no file name does")
    return Place(Path(os.path.realpath(path)))


def holds(path: Path, application_id: int, what: str) -> bool:
    """Whether the file is one of ours; a missing or empty one is not.

    Raises `StoreForeign` if it holds something else, `StoreError` if it cannot be read.
    """
    try:
        if path.is_dir():
            raise StoreForeign(f"{path} is a folder, a file is allowed for a {what}")
        if path.stat().st_size == 0:
            return False
    except FileNotFoundError:
        if path.parent.is_dir():
            return False
        raise StoreMissing(f"{path}: the folder {path.parent} does not exist") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    found = _application_id(path)
    if found == application_id:
        return True
    if _is_unfinished(path):
        return False
    if found is None:
        raise StoreDamaged(f"{path} is no SQLite database, let alone a serverdomain {what}")
    raise StoreForeign(f"{path} is an SQLite database, but no serverdomain {what}")


def _application_id(path: Path) -> int | None:
    # Read through SQLite, not from the file: when a process closes a file, POSIX drops all locks
    # that it holds on it, also those of its other connections. Immutable takes no lock and writes
    # nothing; a writable schema also reads a file that another process is just making.
    uri = f"{path.as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            (found,) = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path} cannot be read: {error}") from None
    except sqlite3.DatabaseError:
        return None
    return int(found)


def _is_unfinished(path: Path) -> bool:
    # The power failed while the file was made. If its journal says that it had no pages before,
    # SQLite will roll it back to an empty file; until then its content means nothing.
    try:
        with path.with_name(f"{path.name}-journal").open("rb") as file:
            journal = file.read(20)
    except OSError:
        return False
    return journal.startswith(_JOURNAL_MAGIC) and journal[16:20] == bytes(4)
