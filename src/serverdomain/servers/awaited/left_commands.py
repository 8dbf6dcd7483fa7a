"""Commands that event loops leave to one thread, which hands all that wait to the log at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from serverdomain.servers.awaited.jobs import Answer, Job, Jobs, Left, Waker, hand_over
from serverdomain.store.log import Log
from serverdomain.store.request import Outcome, Request

MOST = 128
"""The most commands that are handed to the log at once."""


class LeftCommands(Jobs[Request]):
    """Commands that are left here, and taken in the order in which they came.

    One whose caller is cancelled before it is taken does not happen; later it is not called back.
    """

    def __init__(self, log: Log) -> None:
        super().__init__(1, partial(_accept_all, log))

    def accept(self, request: Request) -> asyncio.Future[Outcome]:
        """What `Log.accept` gives or raises, as a future. For the event loop."""
        return self.leave(request)


def _accept_all(log: Log, left: Left[Request]) -> None:
    """What the thread does until it ends."""
    while (job := left.get()) is not None:
        waiting = [job]
        # Whoever takes them is alone, so what is there stays there; ``None`` is the last of all.
        while len(waiting) < MOST and not left.empty():
            job = left.get()
            if job is None:
                left.put(None)
                break
            waiting.append(job)
        _accept(log, waiting)
        # Nothing of a command, which may hold a password, stays behind in an idle thread.
        del job, waiting


def _accept(log: Log, jobs: Sequence[Job[Request]]) -> None:
    answers: list[tuple[Waker, Answer]] = []
    taken = []
    for job in jobs:
        refusal = job.refusal()
        if refusal is not None:
            answers.append((job.waker, (job.answer, None, refusal)))
        elif not job.answer.cancelled():
            taken.append(job)
    outcomes: Sequence[Outcome | BaseException]
    try:
        outcomes = log.accept_many([job.what for job in taken]) if taken else []
    except BaseException as error:
        outcomes = [error] * len(taken)
    for job, outcome in zip(taken, outcomes, strict=True):
        failed = isinstance(outcome, BaseException)
        came = (None, outcome) if failed else (outcome, None)
        answers.append((job.waker, (job.answer, *came)))
    hand_over(answers)
