"""A reaction's bookmark, kept in the log's store by compare-and-set.

It is written only if it is still as it was last seen. So a reaction never undoes what `resume`,
`skip` or another process did: it looks again, and goes on from there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from serverdomain.errors import InvalidInput, NotFound
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)

PAGE = 100
"""Positions after which a bookmark is saved, unless a second passes first.

Saving is a commit with a sync of its own. Events since the last one are told again after a kill.
"""


def require_name(name: str) -> None:
    """Raise `InvalidInput` for what is no reaction's name."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "name", f"{name!r} came, 1 to 64 letters, digits, '-', '_' and '.' are allowed"
        )


class SavedBookmark:
    """How far a reaction has come, saved now and then; a new one begins at ``start``."""

    def __init__(self, log: Log, name: str, start: Literal["head", "beginning"]) -> None:
        self._log = log
        with log.reading() as reading:
            self._saved = reading.bookmark(name)
            head = reading.head() if start == "head" else 0
        self._current = self._saved or Bookmark(name, head)
        self._moved_at = 0.0
        self.save()

    def look(self) -> Bookmark:
        """Where the reaction has come to, or to where somebody else moved its bookmark."""
        self._save_in_time()
        with self._log.reading() as reading:
            found = reading.bookmark(self._current.name)
        if found != self._saved:
            # If somebody deleted it, the next saving puts it back.
            self._saved, self._current = found, found or self._current
        return self._current

    def move(self, position: int) -> bool:
        """Everything up to ``position`` is told; False if somebody else moved the bookmark."""
        if self._current == self._saved:
            self._moved_at = time.monotonic()
        self._current = replace(self._current, position=position)
        return self._save_in_time()

    def save(self) -> bool:
        """Save it now; False if somebody else moved it."""
        return self._current == self._saved or self._keep(self._current)

    def stop(self, position: int, why: str) -> bool:
        """Save where the reaction stopped, and why; False if somebody else moved the bookmark."""
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
    """Let a stopped reaction try its event again. Raises `NotFound` and `InvalidInput`."""
    return _restart(log, name, lambda found: found.position)


def skip(log: Log, name: str) -> Bookmark:
    """Let a stopped reaction go on after the event that stopped it. Raises `NotFound`."""
    return _restart(log, name, lambda found: found.stopped_at or found.position)


def _restart(log: Log, name: str, position: Callable[[Bookmark], int]) -> Bookmark:
    require_name(name)
    while True:
        with log.reading() as reading:
            found = reading.bookmark(name)
            known = ", ".join(one.name for one in reading.bookmarks()) or "none"
        if found is None:
            raise NotFound(f"reaction {name!r} is not there, {known} is")
        restarted = Bookmark(name, position(found))
        if log.keep_bookmark(restarted, found):
            return restarted
