"""One server, followed through the log: as it is, then as of each further event."""

from __future__ import annotations

import time
from collections.abc import Iterator

from serverdomain.domain.decisions import require_there
from serverdomain.domain.server import Server
from serverdomain.store.log import Log

LOOK = 0.1
"""Seconds after which it looks for what other processes appended."""


def follow(log: Log, server_id: str, seconds: float | None) -> Iterator[Server]:
    """A server as it is, then after each event in the log's order, for so many seconds or for ever.

    Raises `NotFound` where it is not there, or once it is deleted.
    """
    until = None if seconds is None else time.monotonic() + seconds
    with log.reading() as reading:
        head = reading.head()
        states = [reading.history(server_id).server]
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
