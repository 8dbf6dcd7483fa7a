"""The log on SQLite in a file that is only read: every question, and not a byte of it changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from threading import Event as Flag
from typing import NoReturn

from serverdomain.domain.progress import Progress, silent
from serverdomain.errors import StoreDamaged, StoreError, StoreReadOnly
from serverdomain.store import cache_folder
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Answer, BulkWriting, Log, Tip
from serverdomain.store.recent_refusals import RecentRefusals
from serverdomain.store.remembered import Remembered
from serverdomain.store.request import Outcome, Request
from serverdomain.store.sqlite.examination import SQLiteExamination, examine
from serverdomain.store.sqlite.faults import store_error
from serverdomain.store.sqlite.locks import Locks
from serverdomain.store.sqlite.place import Place
from serverdomain.store.sqlite.read_only import opened
from serverdomain.store.sqlite.writing import SQLiteWriting


class ReadOnlyLog(Log):
    """A log in a file, of this schema or an older one, that is read as it is.

    What is made from it lies ``beside`` it, if that is wanted and can be written, else in a cache
    of the user's. Not for use once it is closed.
    """

    read_only = True
    keeps_refusals = False

    def __init__(self, place: Place, *, beside: bool = False) -> None:
        self.place = place
        self.recent_refusals = RecentRefusals()
        remembered = Remembered(self)
        self.server = remembered.server
        self.server_at_once = remembered.server_at_once
        self._beside = beside and place.can_be_written
        self._closed = Flag()
        with examine(place):
            pass

    def __str__(self) -> str:
        """Where it lies, not where its caches do."""
        return str(self.place)

    @cached_property
    def caches(self) -> Path | None:  # type: ignore[override]
        """The path beside which lies what is made from it; ``None`` for memory."""
        if self._beside:
            return self.place.path
        assert self.place.path is not None
        try:
            with self.reading() as log:
                return cache_folder.caches_of(log.log_id(), self.place.path)
        except StoreDamaged:
            return None

    @cached_property
    def _locks(self) -> Locks:
        return Locks(self.caches)

    @contextmanager
    def reading(self) -> Iterator[SQLiteExamination]:
        """The log as it is now."""
        self._require_open()
        try:
            with opened(self.place) as connection:
                yield SQLiteExamination(connection)
        # In a damaged file a name may not be UTF-8; nor is a message that quotes it.
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise store_error(error, self.place) from error

    def examining(self) -> AbstractContextManager[SQLiteExamination]:
        """The log as it is now, for a check."""
        self._require_open()
        return examine(self.place)

    def backup(
        self, path: Path, progress: Progress = silent
    ) -> AbstractContextManager[SQLiteExamination]:
        """Copy the log as it is now into one file, in rollback mode."""
        # Only here: it locks the file as Unix does.
        from serverdomain.store.sqlite.backup import copied

        self._require_open()
        return copied(self.place, opened(self.place), path, progress)

    def mark(self) -> int | None:
        """Nothing: whether anything was committed cannot be told without reading."""
        return None

    def wait_past(self, position: int, seconds: float) -> None:
        """Wait until the log has grown past a position, at most so many seconds."""
        with self.reading() as log:
            if log.head() > position:
                return
        self._closed.wait(seconds)

    def wake(self) -> None:
        """Do nothing: nobody in this process makes it grow."""

    def alone(self, name: str, seconds: float = 0) -> AbstractContextManager[bool]:
        """Whether the caller, of all that use these caches, may work now."""
        return self._locks.alone(name, seconds)

    def accept(self, request: Request) -> Outcome:
        """Raise `StoreReadOnly`."""
        self._refuse()

    def accept_many(self, requests: Sequence[Request]) -> list[Answer]:
        """Raise `StoreReadOnly`."""
        self._refuse()

    def writing(self, seconds: float | None = None) -> AbstractContextManager[SQLiteWriting]:
        """Raise `StoreReadOnly`."""
        self._refuse()

    def bulk(self) -> AbstractContextManager[BulkWriting]:
        """Raise `StoreReadOnly`."""
        self._refuse()

    def keep_bookmark(
        self, place: Bookmark, instead_of: Bookmark | None, tip: Tip | None = None
    ) -> bool:
        """Raise `StoreReadOnly`."""
        self._refuse()

    def forget(self) -> None:
        """Raise `StoreReadOnly`."""
        self._refuse()

    @property
    def is_kept(self) -> bool:
        """True: it is in a file."""
        return True

    def close(self) -> None:
        """Let nobody ask any more."""
        self._closed.set()

    def _require_open(self) -> None:
        if self._closed.is_set():
            raise StoreError(f"{self.place} is closed: open it anew")

    def _refuse(self) -> NoReturn:
        raise StoreReadOnly(f"{self.place} was opened to be read alone: open it without read_only")
