"""How long each rebuild of a server took, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from serverdomain.domain import moment
from serverdomain.domain.history import Fact
from serverdomain.domain.lifecycle import turns


class RebuildTime(Struct, frozen=True):
    """A rebuild from its request to its end, if it has one; times are aware datetimes.

    ``ended`` says how it ended, as `domain.lifecycle.End`; ``None`` while it is under way.
    """

    rebuild_id: str
    requested_at: datetime
    ended_at: datetime | None = None
    ended: str | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took; ``None`` while it is under way."""
        if self.ended_at is None:
            return None
        return (self.ended_at - self.requested_at).total_seconds()

    def as_json(self) -> dict[str, Any]:
        """The rebuild as plain values."""
        ended_at = self.ended_at
        return {
            "requested_at": moment.exact(moment.to_micros(self.requested_at)),
            "ended_at": None if ended_at is None else moment.exact(moment.to_micros(ended_at)),
            "ended": self.ended,
            "seconds": self.seconds,
        }


def rebuild_times(history: Iterable[Fact]) -> list[RebuildTime]:
    """The rebuilds in a history, whose facts come in order of occurrence."""
    times: list[RebuildTime] = []
    for fact, (asked, ended, how) in turns(history):
        at = moment.to_datetime(fact.occurred_at)
        if ended is not None:
            times[-1] = replace(times[-1], ended_at=at, ended=how)
        if asked is not None:
            times.append(RebuildTime(asked, at))
    return times
