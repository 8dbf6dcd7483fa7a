"""The same step asked of server after server, by one caller or by many at once.

Each step is timed alone; the rate of many callers is what they did together. What goes ``before`` a
step is not timed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Asked, Round, at_rate
from benchmarks.rival import Rival

Step = Callable[[Rival, int, int], object]
"""Does something with a rival, in a round, to the server of a number."""


class Work(NamedTuple):
    """A step, and the servers that it is done to in each round.

    The store is filled with ``servers`` of so many ``cycles``; ``asked`` are all of them unless
    said otherwise. A step is so many ``units``.
    """

    step: Step
    servers: int
    cycles: int = 1
    asked: Sequence[int] | None = None
    callers: int = 1
    before: Step | None = None
    units: int = 1
    commands: int = 1
    """Commands in a step."""


def each_doing(work: Work, *rivals: Callable[[Path], Rival]) -> list[Callable[[Path], Asked]]:
    """Each of the rivals, filled and doing this work."""
    return [partial(Callers, rival, work) for rival in rivals]


class Callers:
    """A rival and who calls it."""

    def __init__(self, rival: Callable[[Path], Rival], work: Work, folder: Path) -> None:
        self._work = work
        self.rival = rival(folder)
        self.name = self.rival.name
        self.rival.fill(work.servers, work.cycles)

    def ask(self, number: int) -> Round:
        """The step, once to each server."""
        work = self._work
        asked = range(work.servers) if work.asked is None else work.asked
        callers = work.callers if self.rival.shared else 1
        if callers > 1:
            seconds, each = self._at_once(number, [asked[n::callers] for n in range(callers)])
        else:
            each = self._do(number, asked)
            seconds = sum(each)
        return at_rate(seconds, each, len(each) * work.units)

    def _at_once(self, number: int, shares: Sequence[Sequence[int]]) -> tuple[float, list[float]]:
        # Each caller has servers of its own, so that nobody meets a conflict.
        ready = threading.Barrier(len(shares) + 1)

        def call(share: Sequence[int]) -> list[float]:
            ready.wait()
            return self._do(number, share)

        with ThreadPoolExecutor(len(shares)) as callers:
            running = [callers.submit(call, share) for share in shares]
            ready.wait()
            began = time.perf_counter()
            each = [seconds for future in running for seconds in future.result()]
            return time.perf_counter() - began, each

    def _do(self, number: int, servers: Sequence[int]) -> list[float]:
        each = []
        for server in servers:
            if self._work.before is not None:
                self._work.before(self.rival, number, server)
            began = time.perf_counter()
            self._work.step(self.rival, number, server)
            each.append(time.perf_counter() - began)
        return each

    def close(self) -> None:
        """Let go of the files."""
        self.rival.close()
