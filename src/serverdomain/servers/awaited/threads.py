"""Threads that wait for the store, so that the event loop does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from serverdomain.servers.awaited.jobs import PATIENCE, Answer, Job, Jobs, Left

Result = TypeVar("Result")
Call = Callable[[], Any]


class Threads(Jobs[Call]):
    """At most so many threads for calls, each of which waits for a thread, then in it.

    ``large`` answers are made no faster than the loop takes them, or they would pile up.
    """

    def __init__(self, most: int, patience: float = PATIENCE, *, large: bool = False) -> None:
        super().__init__(most, partial(answer_calls, large=large), patience)

    def run(self, call: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        """Run a call in a thread: a future of what it gives or raises. For the event loop.

        Raises `StoreLocked` where no thread was free in time: nothing has happened then.
        """
        return self.leave(partial(call, *arguments))


def answer_calls(left: Left[Call], *, large: bool) -> None:
    """What such a thread does until it ends."""
    while (job := left.get()) is not None:
        answer = _answer(job)
        if large:
            job.waker.hand_over_and_wait(answer)
        else:
            job.waker.hand_over([answer])
        # Nothing of a call, which may hold a password, stays behind in an idle thread.
        del job, answer
    left.put(None)  # For the next thread.


def _answer(job: Job[Call]) -> Answer:
    error = job.refusal()
    if error is not None or job.answer.cancelled():
        return job.answer, None, error
    try:
        return job.answer, job.what(), None
    except BaseException as raised:
        return job.answer, None, raised
