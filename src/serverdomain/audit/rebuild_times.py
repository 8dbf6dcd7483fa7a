"""How long each rebuild of a server took, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.store.recorded import Fact

_ENDS = {
    e.RebuildCompleted: "completed",
    e.RebuildFailed: "failed",
    e.StateReset: "reset",
    e.ServerDeleted: "deleted",
}


class RebuildTime(Struct, frozen=True):
    """A rebuild from its request to its end, if it had one; times are aware datetimes.

    ``ended`` is ``"completed"``, ``"failed"``, ``"reset"``, ``"deleted"`` or ``"replaced"`` (by a
    rebuild behind it, where facts were told out of order); ``None`` while it is under way.
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
    """The rebuilds in a history, which is given in order of occurrence."""
    times: list[RebuildTime] = []
    under_way: tuple[str, datetime] | None = None
    for at, _, event in history:
        then = moment.to_datetime(at)
        ended = _ENDS.get(type(event))
        if isinstance(event, e.RebuildRequested):
            if under_way is not None:
                times.append(RebuildTime(*under_way, then, "replaced"))
            under_way = event.rebuild_id, then
        elif ended is not None and under_way is not None:
            about = getattr(event, "rebuild_id", under_way[0])
            if about == under_way[0]:
                times.append(RebuildTime(*under_way, then, ended))
                under_way = None
    if under_way is not None:
        times.append(RebuildTime(*under_way))
    return times
