"""One server, followed: as it is now, then after each further event."""

from __future__ import annotations

import time
from collections.abc import Iterator

from serverdomain.domain.decisions import require_there
from serverdomain.domain.server import Server
from serverdomain.store.log import Log

LOOK = 0.1
"""Seconds between two looks for events of other processes."""


def follow(log: Log, server_id: str, seconds: float | None) -> Iterator[Server]:
    """A server as it is, then after each event in the order of the log.

    Ends after ``seconds``; ``None`` means never. Raises `NotFound` if there is no such server, and
    once it is deleted.
    """
    until = None if seconds is None else time.monotonic() + seconds
    with log.reading() as reading:
        head = reading.head()
        states = [reading.so_far(server_id).server]
    while True:
        for server in states:
            yield require_there(server, server_id)
        left = LOOK if until is None else min(LOOK, until - time.monotonic())
        if left <= 0:
            return
        log.wait_past(head, left)
        with log.reading() as reading:
            seen, head = head, reading.head()
            facts = reading.history(server_id).facts if head > seen else []
            states = [
                reading.history(server_id, position=position).server
                for position in sorted(fact.position for fact in facts)
                if position > seen
            ]
