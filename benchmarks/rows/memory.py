"""Memory that stays flat, however much a log holds."""

from __future__ import annotations

from functools import partial

from benchmarks.measure import Row
from benchmarks.memory import More
from benchmarks.rival import EVENTS_OF_A_CYCLE
from benchmarks.scale import Scale

_FLAT = 32
"""Mebibytes more for ten times the log: what is held may not grow with it."""

_BOUND = 64
"""Mebibytes that remembered servers may weigh: 32 for reading, and as many for folding."""


def rows(scale: Scale) -> list[Row]:
    followed = scale.followed // (1 + EVENTS_OF_A_CYCLE)
    return [
        Row(
            "memory-following",
            f"more memory for following {scale.followed:,} events than a tenth of them",
            "MiB",
            [partial(More, "following", followed, 1)],
            1,
            most=_FLAT,
            less=True,
            warm=False,
        ),
        Row(
            "memory-remembering",
            f"more memory for asking for {scale.remembered:,} servers than a tenth of them",
            "MiB",
            [partial(More, "remembering", scale.remembered, 0)],
            1,
            most=_BOUND,
            less=True,
            warm=False,
        ),
    ]
