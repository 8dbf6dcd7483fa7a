"""A call that fails is tried again, after growing pauses and a limited number of times."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Event as Flag

LONGEST_PAUSE = 10.0
"""Seconds between two attempts, at most."""

LONGEST_WORDS = 2_000
"""Characters that are kept of an error."""

_logger = logging.getLogger("serverdomain")


def failure_of(call: Callable[[], object], attempts: int, stopping: Flag) -> str | None:
    """Why the last of so many attempts failed, in words; ``None`` once one succeeds.

    The first pause lasts 0.1 seconds, each further one twice as long, at most 10 seconds. There are
    no more attempts once ``stopping`` is set. Any exception is a failure: `SystemExit` or
    `asyncio.CancelledError` would otherwise end the thread silently.
    """
    why, pause = None, 0.1
    for attempt in range(attempts):
        if attempt > 0:
            if stopping.wait(pause):
                break
            pause = min(2 * pause, LONGEST_PAUSE)
        try:
            call()
        except BaseException as error:
            why = in_words(error)
        else:
            return None
    return why


def in_words(error: BaseException) -> str:
    """The type and message of an error, as text that any store can keep; a long one is cut."""
    try:
        message = str(error)[:LONGEST_WORDS]
    except BaseException:
        message = "its message cannot be read"
    words = f"{type(error).__name__}: {message}" if message else type(error).__name__
    words = words.encode("utf-8", "backslashreplace").decode()
    return words if len(words) <= LONGEST_WORDS else f"{words[: LONGEST_WORDS - 3]}..."


def warn(words: str, *values: object) -> None:
    """Log a warning. Who works in a thread goes on, even if what takes the lines fails."""
    with suppress(BaseException):
        _logger.warning(words, *values)


class Recurring:
    """What goes on failing: it is said once, and tried again ever less often."""

    def __init__(self, shortest: float) -> None:
        self._shortest = self._pause = shortest
        self._why: str | None = None

    def met(self, why: str) -> tuple[bool, float]:
        """Whether this is news, and for how many seconds to wait before the next attempt."""
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        is_news, self._why = why != self._why, why
        return is_news, pause

    def over(self) -> bool:
        """It went well; whether it did not before."""
        was, self._why, self._pause = self._why, None, self._shortest
        return was is not None
