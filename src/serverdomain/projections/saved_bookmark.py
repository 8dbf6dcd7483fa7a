"""A reaction's bookmark, kept in the log's store by compare-and-set.

It is written only where it still stands as it was last seen. So a reaction undoes nothing that
somebody else did to it (`resume`, `skip`, another process): it looks again, and goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from serverdomain.errors import NotFound
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log

PAGE = 100
"""Positions after which a bookmark is saved, if a second has not passed before.

Saving is a commit with a sync of its own. What was told since is told again after a kill.
"""


class SavedBookmark:
    """How far a reaction has come, saved in time; a new one begins at the log's ``start``."""

    def __init__(self, log: Log, name: str, start: Literal["head", "beginning"]) -> None:
        self._log = log
        with log.reading() as reading:
            self._saved = reading.bookmark(name)
            head = reading.head() if start == "head" else 0
        self._current = self._saved or Bookmark(name, head)
        self._moved_at = 0.0
        self.save()

    def look(self) -> Bookmark:
        """As far as the reaction has come, or where somebody else moved its bookmark."""
        self._save_in_time()
        with self._log.reading() as reading:
            found = reading.bookmark(self._current.name)
        if found != self._saved:
            # One that somebody took away is put back when it is next saved.
            self._saved, self._current = found, found or self._current
        return self._current

    def move(self, position: int) -> bool:
        """All is told up to ``position``; False where somebody else moved the bookmark."""
        if self._current == self._saved:
            self._moved_at = time.monotonic()
        self._current = replace(self._current, position=position)
        return self._save_in_time()

    def save(self) -> bool:
        """Save it now; False where somebody else moved it."""
        return self._current == self._saved or self._keep(self._current)

    def stop(self, position: int, why: str) -> bool:
        """Save at which event the reaction stopped; False where somebody else moved it."""
        return self._keep(replace(self._current, stopped_at=position, why=why))

    def _save_in_time(self) -> bool:
        is_time = (
            self._saved is None
            or self._current.position >= self._saved.position + PAGE
            or time.monotonic() > self._moved_at + 1
        )
        return self.save() if is_time else True

    def _keep(self, bookmark: Bookmark) -> bool:
        if not self._log.keep_bookmark(bookmark, self._saved):
            return False
        self._saved = self._current = bookmark
        return True


def resume(log: Log, name: str) -> Bookmark:
    """Let a stopped reaction try its event again. Raises `NotFound` where there is none."""
    return _restart(log, name, lambda found: found.position)


def skip(log: Log, name: str) -> Bookmark:
    """Let a stopped reaction go on behind the event that stopped it. Raises `NotFound`."""
    return _restart(log, name, lambda found: found.stopped_at or found.position)


def _restart(log: Log, name: str, position: Callable[[Bookmark], int]) -> Bookmark:
    while True:
        with log.reading() as reading:
            found = reading.bookmark(name)
            known = ", ".join(one.name for one in reading.bookmarks()) or "none"
        if found is None:
            raise NotFound(f"reaction {name!r} is not there, {known} is")
        restarted = Bookmark(name, position(found))
        if log.keep_bookmark(restarted, found):
            return restarted
