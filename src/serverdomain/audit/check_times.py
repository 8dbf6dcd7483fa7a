"""Check the two times of commands, in the order of the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from serverdomain.domain import moment
from serverdomain.store.accept import MOST_AHEAD
from serverdomain.store.finding import Finding
from serverdomain.store.log import Reading


def ahead(log: Reading, now: int) -> Iterator[Finding]:
    """Whether the log lies ahead of a clock that says it is ``now``, in microseconds."""
    latest = log.latest_recorded_at()
    if _is_time(latest) and latest > now + MOST_AHEAD:
        yield Finding(
            "time",
            f"the log lies ahead of the clock: it is {moment.exact(now)}, the latest command was "
            f"recorded at {moment.exact(latest)}, and so are all others until then",
            log.head(),
        )


class Times:
    """The times of the commands so far, to check the next one against."""

    def __init__(self) -> None:
        self._recorded_at = moment.EARLIEST
        self._facts: dict[str, int] = {}

    def wrong(
        self,
        server_id: str,
        occurred_at: object,
        recorded_at: object,
        refused: bool,
        at_any_time: bool,
    ) -> Iterator[str]:
        """What is wrong with the times of the next command.

        A command that may occur ``at_any_time`` may lie before its server's earlier facts.
        """
        for name, at in (("occurred_at", occurred_at), ("recorded_at", recorded_at)):
            if not _is_time(at):
                yield f"has no time in {name}: {at!r}"
        if _is_time(recorded_at):
            if recorded_at < self._recorded_at:
                was, before = moment.exact(recorded_at), moment.exact(self._recorded_at)
                yield f"was recorded at {was}, the one before it at {before}"
            self._recorded_at = recorded_at
        if not _is_time(occurred_at):
            return
        if isinstance(recorded_at, int) and occurred_at > recorded_at + MOST_AHEAD:
            was = moment.exact(occurred_at)
            yield f"occurred at {was}, more than five minutes after it was recorded"
        # Where many write at once, a refusal may stand behind what others did meanwhile.
        if refused:
            return
        latest = self._facts.get(server_id, moment.EARLIEST)
        if occurred_at < latest and not at_any_time:
            was = moment.exact(occurred_at)
            yield f"occurred at {was}, its server had a fact at {moment.exact(latest)} then"
        self._facts[server_id] = max(latest, occurred_at)


def _is_time(at: object) -> TypeGuard[int]:
    return isinstance(at, int) and moment.EARLIEST <= at <= moment.LATEST
