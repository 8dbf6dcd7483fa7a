"""An epoch: the time from one reset to the next. What belongs to one that is over does nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Condition

from serverdomain.adapters.http.calls.control import Dropped

SECONDS = 1.0
"""How long the end of an epoch waits for calls that are being carried out."""

MOST = 500
"""The most calls that wait in an epoch: others find a place beside them."""

MOST_BYTES = 64 * 1024 * 1024
"""What they weigh, at most."""


class Epoch:
    """An epoch, until `end`. Threads and event loops may share it.

    ``with epoch:`` carries out a call, for which its end waits, and raises `Dropped` once it is
    over.
    """

    def __init__(self) -> None:
        self.is_over = False
        """Whether it has ended."""
        self._change = Condition()
        self._lets_go = False
        self._at_work = 0
        self._wakers: set[Callable[[], object]] = set()
        self._weight = 0

    async def wait(self, seconds: float, weight: int) -> bool:
        """Wait, by real time; or give False at once, where too many wait, or too much.

        Raises `Dropped` once all who wait are let go.
        """
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # The loop is closed: nobody is waiting.
                loop.call_soon_threadsafe(over.set)

        with self._change:
            if self._lets_go:
                raise Dropped
            if len(self._wakers) >= MOST or self._weight + weight > MOST_BYTES:
                return False
            self._weight += weight
            self._wakers.add(wake)
        try:
            await asyncio.wait_for(over.wait(), seconds)
        except TimeoutError:
            return True
        finally:
            with self._change:
                self._weight -= weight
                self._wakers.discard(wake)
        raise Dropped

    def __enter__(self) -> None:
        with self._change:
            if self.is_over:
                raise Dropped
            self._at_work += 1

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._at_work -= 1
            if self.is_over:
                self._change.notify_all()

    def let_go(self) -> None:
        """Let everybody go who waits; what is being carried out goes on."""
        with self._change:
            self._lets_go = True
            for wake in self._wakers:
                wake()

    def end(self) -> None:
        """End it: nobody waits any more, and what is being carried out has ended, or had its time.

        Not for an event loop, which it would hold up.
        """
        self.let_go()
        with self._change:
            self.is_over = True
            self._change.wait_for(lambda: not self._at_work, SECONDS)
