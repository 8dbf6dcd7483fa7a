"""One look at the log for all that an event loop does in one go.

Whatever a loop does in a turn was asked for before that turn began. So what one of these calls sees
of the log is new enough for the others of the turn, however many there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Mark = int | None


class Glance:
    """The mark of a log, read once in each turn of an event loop. Several loops may share it."""

    def __init__(self, look: Callable[[], Mark]) -> None:
        self._look = look
        self._seen: tuple[asyncio.AbstractEventLoop, Mark] | None = None

    def mark(self) -> Mark:
        """The mark as it was read at the first call of this turn. For the event loop."""
        loop, seen = asyncio.get_running_loop(), self._seen
        if seen is not None and seen[0] is loop:
            return seen[1]
        mark = self._look()
        self._seen = loop, mark
        # A turn begins with what was left for it by then; what comes in is read behind that.
        loop.call_soon(self._forget)
        return mark

    def _forget(self) -> None:
        self._seen = None
