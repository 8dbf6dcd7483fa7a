"""Ctrl-C while what others asked is under way: it is noted, and told when all are answered."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Interrupts:
    """Interrupts of this thread, which are put off from `put_off` to the end of the block.

    Python looks at signals right behind a call, and behind that of a commit nobody could tell
    whether it had happened. Only the main thread is interrupted.
    """

    def __init__(self) -> None:
        self._handler: signal._HANDLER = None
        self._came: tuple[int, FrameType | None] | None = None

    def put_off(self) -> None:
        """Note an interrupt from now on, instead of letting it happen."""
        if threading.get_ident() != threading.main_thread().ident:
            return
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            signal.signal(signal.SIGINT, self._note)
            self._handler = handler

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came = number, frame

    def __enter__(self) -> Interrupts:
        return self

    def __exit__(self, *_: object) -> None:
        handler = self._handler
        if callable(handler):
            signal.signal(signal.SIGINT, handler)
            if self._came is not None:
                handler(*self._came)
