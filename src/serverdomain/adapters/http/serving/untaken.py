"""Answers that their readers do not take: what they weigh together has a bound.

Each reader has its time. But many of them, who ask for large lists and read nothing, would have
gigabytes waiting until theirs is over. So those who took the longest are left earlier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

MOST = 128 * 1024 * 1024
"""What answers weigh that were given and not taken yet, on all connections, at most."""


class Connection(Protocol):
    """A connection; ``left_at`` is when its reader is left, ``None`` where nothing waits for it."""

    transport: asyncio.Transport

    @property
    def left_at(self) -> float | None:
        """By the loop's clock."""


def leave_some(connections: Iterable[Connection]) -> None:
    """Leave those readers who took the longest, as long as too much waits for all."""
    waiting = [(at, one.transport) for one in connections if (at := one.left_at) is not None]
    untaken = sum(transport.get_write_buffer_size() for _, transport in waiting)
    for _, transport in sorted(waiting, key=lambda one: one[0]):
        if untaken <= MOST:
            return
        untaken -= transport.get_write_buffer_size()
        transport.abort()
