"""How a call that fails is tried again: with growing pauses, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Flag


def failure_of(call: Callable[[], object], attempts: int, stopping: Flag) -> str | None:
    """What the last of so many attempts failed with, in words; ``None`` once one succeeds.

    The first pause lasts 0.1 seconds, each later one twice as long, none longer than 10 seconds;
    during a pause ``stopping`` ends it all. Whatever a call ends in is a failure: `SystemExit` or
    `asyncio.CancelledError` would end the thread without a word.
    """
    why, pause = None, 0.1
    for attempt in range(attempts):
        if attempt > 0:
            if stopping.wait(pause):
                break
            pause = min(2 * pause, 10.0)
        try:
            call()
        except BaseException as error:
            why = in_words(error)
        else:
            return None
    return why


def in_words(error: BaseException) -> str:
    """An error's type and message, as text that any store can keep."""
    try:
        message = str(error)
    except Exception:
        message = "its message cannot be read"
    words = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return words.encode("utf-8", "backslashreplace").decode()
