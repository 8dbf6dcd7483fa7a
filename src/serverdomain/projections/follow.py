"""One server, followed: as it is now, then after each further event."""

from __future__ import annotations

from collections.abc import Iterator

from serverdomain.domain.decisions import require_there
from serverdomain.domain.server import Server
from serverdomain.store.log import Log, Tip
from serverdomain.store.real_time import monotonic

LOOK = 0.1
"""Seconds between two looks for events of other processes."""


class Followed:
    """A server, and the position of the log up to which somebody knows what it was.

    ``head`` is that position; -1 before the first look. Where the log went back, it begins again.
    """

    def __init__(self, log: Log, server_id: str) -> None:
        self._log = log
        self._server_id = server_id
        self.head = -1
        self._tip = Tip()

    def states(self) -> Iterator[Server]:
        """What it became since the last look, in order; at first, what it is.

        The log is read before this returns. Raises `NotFound`, once it comes to that, where it is
        not there or is deleted.
        """
        with self._log.reading() as log:
            stands = log.tip(self._tip.position) == self._tip
            seen = self.head if stands else -1
            self._tip, self.head = log.tip(), log.head()
            if seen < 0:
                states = [log.so_far(self._server_id).server]
            elif self._server_id not in log.changed_between(seen, self.head):
                states = []
            else:
                facts = log.history(self._server_id, position=self.head).facts
                states = [
                    log.history(self._server_id, position=position).server
                    for position in sorted(fact.position for fact in facts)
                    if position > seen
                ]
        return (require_there(server, self._server_id) for server in states)


def follow(log: Log, server_id: str, seconds: float | None) -> Iterator[Server]:
    """A server as it is, then after each event in the order of the log.

    Ends after ``seconds``; ``None`` means never. Raises `NotFound` if there is no such server, and
    once it is deleted.
    """
    until = None if seconds is None else monotonic() + seconds
    followed = Followed(log, server_id)
    while True:
        yield from followed.states()
        left = LOOK if until is None else min(LOOK, until - monotonic())
        if left <= 0:
            return
        log.wait_past(followed.head, left)
