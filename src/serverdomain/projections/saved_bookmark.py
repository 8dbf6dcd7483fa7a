"""A reaction's bookmark, kept in the log's store by compare-and-set.

It is written only if it is still as it was last seen. So a reaction never undoes what `resume`,
`skip` or another process did: it looks again, and goes on from there. Nor is it written where the
log went back and has another row at that place: the reaction goes back with it, and stops if it was
told of what is no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from serverdomain.errors import InvalidInput, NotFound
from serverdomain.projections.attempts import warn
from serverdomain.projections.told_lately import ToldLately
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log, Reading, Tip
from serverdomain.store.real_time import monotonic
from serverdomain.store.recorded import RecordedEvent

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)

PAGE = 100
"""Positions after which a bookmark is saved, unless a second passes first.

Saving is a commit with a sync of its own. Events since the last one are told again after a kill.
"""


def is_name(name: str) -> bool:
    """Whether a reaction can have a name."""
    return _NAME.fullmatch(name) is not None


def require_name(name: str) -> None:
    """Raise `InvalidInput` for what is no reaction's name."""
    if not is_name(name):
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
        self._first = self._saved or Bookmark(name, head)
        self._current = self._first
        self._tip: Tip | None = None
        """The log's row at the current place; ``None`` where the log itself says the place."""
        self._lately = ToldLately()
        self._gone: str | None = None
        """What it was told of and is no more, until it has stopped for that."""
        self._moved_at = 0.0
        self.save()

    def look(self) -> Bookmark:
        """Where the reaction has come to, or to where somebody else or the log moved it."""
        self._save_in_time()
        return self.look_back()

    def look_back(self) -> Bookmark:
        """The same without a save: for whoever stands by."""
        with self._log.reading() as reading:
            found = reading.bookmark(self._current.name)
            stands = self.stands(reading)
            self._gone = self._lately.forget_gone(reading) or self._gone
            head = reading.head()
        if found != self._saved or not stands:
            # If somebody deleted it, the next saving puts it back.
            again = replace(self._first, position=min(self._first.position, head))
            self._current = found or (self._current if stands else again)
            self._saved, self._tip = found, None
        return self._current if self._gone is None else self._stopped(self._gone)

    def stands(self, log: Reading) -> bool:
        """Whether a log still has the row up to which all was told."""
        return self._tip is None or log.tip(self._tip.position) == self._tip

    def told(self, recorded: RecordedEvent) -> bool:
        """A handler was told of an event; False if somebody else moved the bookmark."""
        self._lately.tell(recorded)
        return self.move(recorded.position, self._lately.last)

    def move(self, position: int, tip: Tip | None = None) -> bool:
        """Everything up to ``position`` is told; False if somebody else moved the bookmark.

        ``tip`` is the log's row there.
        """
        if self._current == self._saved:
            self._moved_at = monotonic()
        self._current, self._tip = replace(self._current, position=position), tip
        return self._save_in_time()

    def save(self) -> bool:
        """Save it now; False if somebody else moved it, or the log went back."""
        return self._current == self._saved or self._keep(self._current)

    def stop(self, position: int, why: str) -> bool:
        """Save where the reaction stopped, and why; False if somebody else moved the bookmark."""
        return self._keep(replace(self._current, stopped_at=position, why=why))

    def _stopped(self, gone: str) -> Bookmark:
        """Where it stops that was told of what is gone: behind all that is still there."""
        position = max(self._current.position, self._lately.last.position)
        stopped = replace(self._current, position=position, stopped_at=position, why=gone)
        if self._current.stopped_at is not None or self._keep(stopped):
            warn("reaction %s stopped: %s", stopped.name, gone)
            self._gone = None
            return self._current
        return stopped

    def _save_in_time(self) -> bool:
        is_time = (
            self._saved is None
            or self._current.position >= self._saved.position + PAGE
            or monotonic() > self._moved_at + 1
        )
        return self.save() if is_time else True

    def _keep(self, bookmark: Bookmark) -> bool:
        if not self._log.keep_bookmark(bookmark, self._saved, self._tip):
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
