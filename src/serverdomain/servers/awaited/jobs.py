"""Jobs that an event loop leaves to threads, and the way of their answers back into it.

Not the loop's own pool: there every answer wakes the loop for itself. Here answers that are ready
together wake it once, which was measured to save half of what the way into a thread and back costs.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Generic, NamedTuple, TypeVar

from serverdomain.errors import StoreLocked
from serverdomain.store.real_time import monotonic

PATIENCE = 30.0
"""Seconds that a job waits for a thread, at most, before it is left undone."""

HELD_UP_SECONDS = 1.0
"""Seconds that a thread waits, at most, until the loop takes an answer from it."""

What = TypeVar("What")

Answer = tuple["asyncio.Future[Any]", Any, BaseException | None]
"""Who gets what was given, or what was raised."""


class Waker:
    """Hands answers over to one event loop, all that are ready at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: deque[Answer] = deque()
        self._waiting: deque[Event] = deque()
        self._woken = False

    def hand_over(self, answers: Iterable[Answer]) -> None:
        """Hand answers over; called in a thread."""
        self._ready.extend(answers)
        if not self._woken or self._loop.is_closed():
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._take)
            except RuntimeError:
                # The loop is closed: nobody is waiting for an answer.
                self._ready.clear()
                self._let_go()

    def hand_over_and_wait(self, answer: Answer) -> None:
        """Hand an answer over, and go on once the loop took it, or is held up for so long."""
        taken = Event()
        self._waiting.append(taken)
        self.hand_over([answer])
        taken.wait(HELD_UP_SECONDS)

    def _take(self) -> None:
        # Before the answers are taken: what comes meanwhile wakes the loop again.
        self._woken = False
        while self._ready:
            future, result, error = self._ready.popleft()
            if future.done():
                continue  # Its caller was cancelled.
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        self._let_go()

    def _let_go(self) -> None:
        while self._waiting:
            self._waiting.popleft().set()


def hand_over(answers: Iterable[tuple[Waker, Answer]]) -> None:
    """Hand answers over, to each loop all of its own at once; called in a thread."""
    ready: dict[Waker, list[Answer]] = defaultdict(list)
    for waker, answer in answers:
        ready[waker].append(answer)
    for waker, some in ready.items():
        waker.hand_over(some)


class Job(NamedTuple, Generic[What]):
    """What is to be done, who waits for it, who hands the answer over, and until when."""

    what: What
    answer: asyncio.Future[Any]
    waker: Waker
    until: float

    def refusal(self) -> StoreLocked | None:
        """Why it is left undone, if it waited for too long."""
        if monotonic() <= self.until:
            return None
        return StoreLocked("too many calls wait for a lock: no thread was free in time")


Left = SimpleQueue["Job[What] | None"]
"""Jobs in the order in which they came; ``None`` stands behind the last."""


class Jobs(Generic[What]):
    """Jobs for at most so many threads, which are started as they are needed.

    ``work`` is what each thread runs: it takes jobs until it meets ``None``. The threads end with
    this object, or once it is closed.
    """

    def __init__(
        self, most: int, work: Callable[[Left[What]], None], patience: float = PATIENCE
    ) -> None:
        self._most = most
        self._work = work
        self._patience = patience
        self._busy = 0
        self._wakers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Waker]
        self._wakers = weakref.WeakKeyDictionary()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._left: Left[What] = SimpleQueue()
        self._end = weakref.finalize(self, self._left.put, None)
        self._threads: list[Thread] = []
        self._starting = Lock()
        self._pid = os.getpid()

    def leave(self, what: What) -> asyncio.Future[Any]:
        """Leave a job to a thread: a future of what comes of it. For the event loop.

        Raises `StoreLocked` where no thread was free in time: nothing has happened then. So it is
        with one that was cancelled before a thread took it.
        """
        if self._pid != os.getpid():
            self._end.detach()
            self._begin_anew()  # The threads stayed with the parent.
        loop = asyncio.get_running_loop()
        waker = self._wakers.get(loop)
        if waker is None:
            waker = self._wakers[loop] = Waker(loop)
        answer: asyncio.Future[Any] = loop.create_future()
        answer.add_done_callback(self._is_done)
        self._busy += 1
        if self._busy > len(self._threads) < self._most:
            self._another()
        self._left.put(Job(what, answer, waker, monotonic() + self._patience))
        return answer

    def _is_done(self, _: object) -> None:
        self._busy -= 1

    def _another(self) -> None:
        with self._starting:
            if len(self._threads) < self._most:
                thread = Thread(target=self._work, args=(self._left,), name="awaited", daemon=True)
                thread.start()
                self._threads.append(thread)

    def end(self) -> list[Thread]:
        """Let the threads end once they have done what was left; which those are.

        What is left from now on begins anew.
        """
        threads = self._threads
        self._end()
        self._begin_anew()
        return threads
