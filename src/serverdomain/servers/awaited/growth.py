"""The growth of a log, awaited: one thread looks for all who wait in event loops."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from serverdomain.errors import ServerdomainError
from serverdomain.projections.follow import LOOK
from serverdomain.servers.awaited.jobs import Job, Jobs, Left, hand_over
from serverdomain.store.log import Log


class Growth(Jobs[int]):
    """Tells whoever waits that the log has grown past a position."""

    def __init__(self, log: Log) -> None:
        super().__init__(1, partial(_look, log), patience=float("inf"))

    async def past(self, position: int, seconds: float | None) -> None:
        """Wait until the log has grown past a position, at most so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.leave(position), seconds)


def _look(log: Log, left: Left[int]) -> None:
    waiting: list[Job[int]] = []
    while True:
        while not waiting or not left.empty():
            job = left.get()
            if job is None:
                _tell(waiting, None)  # They look again, and find the log closed.
                return
            waiting.append(job)
        waiting = [job for job in waiting if not job.answer.done()]
        if not waiting:
            continue
        try:
            with log.reading() as reading:
                head = reading.head()
            told = [job for job in waiting if job.what < head]
            _tell(told, None)
            waiting = [job for job in waiting if job.what >= head]
            if waiting:
                log.wait_past(head, LOOK)
        except ServerdomainError as error:
            _tell(waiting, error)
            waiting = []


def _tell(jobs: Sequence[Job[int]], error: ServerdomainError | None) -> None:
    hand_over((job.waker, (job.answer, None, error)) for job in jobs)
