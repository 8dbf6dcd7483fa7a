"""Threads that wait for the store, so that the event loop does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from serverdomain.servers.awaited.jobs import PATIENCE, Job, Jobs, Left

Result = TypeVar("Result")
Call = Callable[[], Any]


class Threads(Jobs[Call]):
    """At most so many threads for calls, each of which waits for a thread, then in it."""

    def __init__(self, most: int, patience: float = PATIENCE) -> None:
        super().__init__(most, answer_calls, patience)

    def run(self, call: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        """Run a call in a thread: a future of what it gives or raises. For the event loop.

        Raises `StoreLocked` where no thread was free in time: nothing has happened then.
        """
        return self.leave(partial(call, *arguments))


def answer_calls(left: Left[Call]) -> None:
    """What such a thread does until it ends."""
    while (job := left.get()) is not None:
        _answer(job)
        # Nothing of a call, which may hold a password, stays behind in an idle thread.
        del job
    left.put(None)  # For the next thread.


def _answer(job: Job[Call]) -> None:
    result, error = None, job.refusal()
    if error is None and not job.answer.cancelled():
        try:
            result = job.what()
        except BaseException as raised:
            job.waker.hand_over([(job.answer, None, raised)])
            return
    job.waker.hand_over([(job.answer, result, error)])
