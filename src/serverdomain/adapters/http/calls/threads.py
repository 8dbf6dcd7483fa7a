"""Threads that wait for the store, so that the event loop does not.

Who waits for a lock waits apart: commands take the places of commands, lists those of lists, and
what only reads is answered beside them. In a queue nobody waits for longer than `PATIENCE`.

Not the loop's own pool: there every answer wakes the loop for itself. Here answers that are ready
together wake it once, which was measured to save half of what the way into a thread and back costs.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from time import CLOCK_MONOTONIC, clock_gettime
from typing import Any, Literal, TypeVar

from serverdomain.errors import StoreLocked

Waits = Literal["reading", "listing", "commanding"]
"""What a call may wait for: no lock, the view's lock, or the log's."""

MOST: dict[Waits, int] = {"reading": 16, "listing": 8, "commanding": 16}
"""The most threads, and so the most calls at a time, by what they may wait for."""

PATIENCE = 30.0
"""Seconds that a call waits for a thread, at most, before it is left undone."""

Result = TypeVar("Result")

# Not `time.monotonic`, which a test that freezes time patches.
_now = partial(clock_gettime, CLOCK_MONOTONIC)


class Threads:
    """At most so many threads, which are started as they are needed, and end with this object."""

    def __init__(self, most: int, patience: float = PATIENCE) -> None:
        self._most = most
        self._patience = patience
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._wakers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Waker]
        self._wakers = weakref.WeakKeyDictionary()
        self._count = 0
        self._busy = 0
        self._counting = Lock()
        self._end = weakref.finalize(self, self._jobs.put, None)

    def run(self, call: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        """Run a call in a thread: a future of what it gives or raises. For the event loop.

        Raises `StoreLocked` where no thread was free in time: nothing has happened then.
        """
        loop = asyncio.get_running_loop()
        waker = self._wakers.get(loop)
        if waker is None:
            waker = self._wakers[loop] = _Waker(loop)
        result: asyncio.Future[Result] = loop.create_future()
        result.add_done_callback(self._is_done)
        self._busy += 1
        if self._busy > self._count:
            self._another()
        self._jobs.put((call, arguments, result, waker, _now() + self._patience))
        return result

    def _is_done(self, _: object) -> None:
        self._busy -= 1

    def _another(self) -> None:
        with self._counting:
            if self._count < self._most:
                Thread(target=_work, args=(self._jobs,), name="endpoint", daemon=True).start()
                self._count += 1


class _Waker:
    """Hands results over to one event loop, all that are ready at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._woken = False

    def hand_over(
        self, future: asyncio.Future[Any], result: Any, error: BaseException | None
    ) -> None:
        """Hand one result over; called in a thread."""
        self._ready.append((future, result, error))
        if not self._woken:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._take)
            except RuntimeError:
                self._ready.clear()  # The loop is closed: nobody is waiting.

    def _take(self) -> None:
        # Before the results are taken: what comes meanwhile wakes the loop again.
        self._woken = False
        while self._ready:
            future, result, error = self._ready.popleft()
            if future.done():
                continue  # Its caller was cancelled.
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


_Job = tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any], _Waker, float]
"""A call, its arguments, who gets what it gives or raises, who hands it over, and until when."""


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while True:
        job = jobs.get()
        if job is None:
            jobs.put(None)  # For the next thread.
            return
        call, arguments, future, waker, until = job
        result, error = None, None
        try:
            if _now() > until:
                raise StoreLocked("too many calls wait for a lock: no thread was free in time")
            result = call(*arguments)
        except BaseException as raised:
            error = raised
        waker.hand_over(future, result, error)
        # Nothing of a call, which may hold a password, stays behind in an idle thread.
        del job, arguments, future, result, error
