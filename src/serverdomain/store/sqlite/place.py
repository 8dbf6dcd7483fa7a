"""Where a store lies, given as a path or as a URL in SQLAlchemy's form, and what is already there.

Before a file is opened for use, it is checked what it is: a file of somebody else is never touched.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from serverdomain.errors import (
    InvalidInput,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreMissing,
    StoreReadOnly,
)
from serverdomain.store.settled_path import settled

_FORMS = (
    "a path (cloud.db, ./odd:name.db), sqlite:///relative.db, sqlite:////absolute.db, "
    "postgresql://user@host/database or memory: is allowed"
)
_MEMORY = ("memory:", ":memory:", "sqlite://", "sqlite:///:memory:")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
"""How a URL begins. One letter is a drive."""
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

    @property
    def can_be_written(self) -> bool:
        """Whether this user may write the file and, as SQLite must, beside it."""
        if self.path is None:
            return True
        path = os.path.realpath(self.path)
        return os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK | os.X_OK)

    def beside(self, what: str) -> Place:
        """The place of its ``view`` or the like: ``cloud.view.db`` beside ``cloud.db``."""
        return self if self.path is None else Place(_named(self.path, f"{what}.db"))

    def keyframes(self) -> Path | None:
        """The folder of its keyframes: ``cloud.keyframes`` beside ``cloud.db``."""
        return None if self.path is None else _named(self.path, "keyframes")

    @property
    def missing(self) -> StoreMissing:
        """The error that no store is here, and what makes one."""
        return StoreMissing(
            f"there is no store at {self}: serverdomain create, register or generate makes one"
        )


def _named(path: Path, what: str) -> Path:
    # Another sign for names without .db, so that ``cloud`` and ``cloud.db`` share no place.
    stem = path.name.removesuffix(".db")
    has_suffix = stem not in ("", path.name)
    return path.with_name(f"{stem}.{what}" if has_suffix else f"{path.name}-{what}")


def of(store: str | os.PathLike[str]) -> Place:
    """The place that a path or a URL names; a path object is always a file.

    Everything behind ``sqlite:///`` is the path, unchanged. Raises `InvalidInput`.
    """
    if isinstance(store, os.PathLike):
        return from_path(store, "store")
    if store in _MEMORY:
        return Place(None)
    if isinstance(store, str):
        path = store.removeprefix("sqlite:///")
        if path and (path != store or not _SCHEME.match(store)):
            return from_path(path, "store")
    raise InvalidInput("store", f"{store!r} came, {_FORMS}")


def from_path(path: str | os.PathLike[str], field: str) -> Place:
    """The place of a file: of the one that a symbolic link leads to, as SQLite opens it.

    Raises `InvalidInput` for what is no file's name, `StoreMissing` for a relative one where the
    working folder is gone.
    """
    try:
        named = os.fspath(path)
    except TypeError:
        raise InvalidInput(field, f"{path!r} came, a path is allowed") from None
    if not isinstance(named, str):
        raise InvalidInput(field, f"{named!r} came, a path in text is allowed")
    if "\0" in named:
        raise InvalidInput(field, f"{named!r} holds a NUL, no file name does")
    try:
        os.fsencode(named)
    except UnicodeEncodeError:
        raise InvalidInput(field, f"{named!a} came, no file can have this name") from None
    return Place(Path(os.path.realpath(settled(named, field))))


def require_writable(place: Place) -> None:
    """Raise `StoreReadOnly` unless this user may write a store that is there."""
    if not place.can_be_written:
        raise StoreReadOnly(
            f"{place} or its folder cannot be written: read_only=True (--read-only) reads it"
        )


def holds(path: Path, application_id: int, what: str) -> bool:
    """Whether the file is one of ours; a missing or empty one is not.

    Raises `StoreForeign` if it holds something else, `StoreError` if it cannot be read.
    """
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode):
            kind = "a folder" if S_ISDIR(found.st_mode) else "no ordinary file"
            raise StoreForeign(f"{path} is {kind}, a file is allowed for a {what}")
        if found.st_size == 0:
            return False
    except FileNotFoundError:
        if path.parent.is_dir():
            return False
        raise StoreMissing(f"{path}: the folder {path.parent} does not exist") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    application = _application_id(path)
    if application == application_id:
        return True
    if _is_unfinished(path):
        return False
    if application is None:
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
