"""A server's story: what happened to it, in order of occurrence, and what it was after each.

What an event changed is worked out when somebody looks at it, and of a server that goes on living
only what is new is read: no page costs more because there is more history behind it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from serverdomain.domain.document import changes
from serverdomain.domain.server import Server, evolve, is_there
from serverdomain.errors import NotFound, Refused
from serverdomain.projections.history import HistoryEntry
from serverdomain.store.log import LARGEST
from serverdomain.store.recorded import RecordedEvent
from serverdomain.store.weighed import weight

MOST_EVENTS = 50_000
"""The most events that a story has; of a longer one the latest are shown."""

MOST_BYTES = 32 * 1024 * 1024
"""What the events of a story weigh, at most; of a heavier one the latest are shown."""

_EVENT = 2 * 1024  # About what an event weighs, beside a command's members and a server's metadata.
_MEMBERS = 4  # About how many times what it is as JSON a map weighs.


class Moment(NamedTuple):
    """An event or a refusal, its place in the story from 1, and the server after it."""

    row: int
    entry: HistoryEntry
    after: Server | None
    late: bool
    """Whether the log had taken in something that occurred later before it took this in."""

    @property
    def anchor(self) -> str:
        """What names it in a link: its version, or, of a refusal, its position."""
        entry = self.entry
        return f"position={entry.position}" if entry.version is None else f"version={entry.version}"

    @property
    def at(self) -> int:
        """When it occurred, in microseconds since 1970 UTC."""
        return self.entry.recorded.occurred_at


class Story:
    """The moments of a server up to a position of the log, in order of occurrence."""

    def __init__(self, server_id: str, recorded: Iterable[RecordedEvent], head: int) -> None:
        self.server_id = server_id
        self.head = head
        self.left_out = 0
        """How many came before the first of them."""
        self.recorded: list[RecordedEvent] = []
        """What the log says of each."""
        self.after: list[Server | None] = []
        """The server after each."""
        self.times: list[int] = []
        """When each occurred, in microseconds since 1970 UTC."""
        self.newest: RecordedEvent | None = None
        """What the log took in last of it."""
        self._before: Server | None = None
        self._weights: list[int] = []
        self._take(recorded)
        self._late = _late(self.recorded)

    def grown(self, recorded: Iterator[RecordedEvent], head: int) -> Story | None:
        """The story up to a later position, by what was recorded from the newest here on.

        ``None`` where that is not enough to tell: a fact came late, or the log is not the same.
        """
        if next(recorded, None) != self.newest:
            return None
        first = next(recorded, None)
        if first is not None and _place(first) < _place(self.recorded[-1]):
            return None
        other = Story(self.server_id, (), head)
        other.recorded, other.after, other.times = [*self.recorded], [*self.after], [*self.times]
        other.left_out, other.newest = self.left_out, self.newest
        other._before, other._weights = self._before, [*self._weights]
        other._take(chain(() if first is None else (first,), recorded))
        there = len(self) - (other.left_out - self.left_out)
        other._late = self._late | _late(other.recorded[max(there, 0) :])
        return other

    def _take(self, recorded: Iterable[RecordedEvent]) -> None:
        server = self.after[-1] if self.after else self._before
        held = self.weight
        for one in recorded:
            before, server = server, evolve(server, one.event, one.occurred_at)
            self.recorded.append(one)
            self.after.append(server)
            self.times.append(one.occurred_at)
            self._weights.append(_weight(one, before, server))
            held += self._weights[-1]
            if self.newest is None or one.position > self.newest.position:
                self.newest = one
            # Now and then: what is left out is taken from the beginning of a list.
            if len(self) >= 2 * MOST_EVENTS or held >= 2 * MOST_BYTES:
                held = self._shorten(held)
        self._shorten(held)

    def _shorten(self, held: int) -> int:
        """Leave out what is too much, and give back what the rest weighs."""
        beyond = 0
        while beyond < len(self) - 1 and (len(self) - beyond > MOST_EVENTS or held > MOST_BYTES):
            held -= self._weights[beyond]
            beyond += 1
        if beyond:
            self._before = self.after[beyond - 1]
            self.left_out += beyond
            for values in (self.recorded, self.after, self.times, self._weights):
                del values[:beyond]
        return held

    def __len__(self) -> int:
        return len(self.recorded)

    @property
    def weight(self) -> int:
        """What it weighs in memory, in bytes, roughly."""
        return sum(self._weights)

    @property
    def now(self) -> Server | None:
        """The server as it is now, a deleted one as it was; ``None`` if it never began."""
        return self.after[-1]

    @property
    def name(self) -> str:
        """Its name, or its id where it has none."""
        return (self.now and self.now.name) or self.server_id

    @property
    def project_id(self) -> str:
        """Its project, or, if it never began, the project of who asked for it."""
        now = self.now
        return self.recorded[-1].command.project_id if now is None else now.project_id

    @property
    def is_there(self) -> bool:
        """Whether it has begun and was not deleted."""
        return is_there(self.now)

    def moment(self, row: int) -> Moment:
        """The moment at a place from 1, or the nearest one."""
        at = min(max(row, 1), len(self)) - 1
        before, after = self.after[at - 1] if at else self._before, self.after[at]
        one = self.recorded[at]
        entry = HistoryEntry(one, changes(before, after))
        return Moment(at + 1, entry, after, one.position in self._late)

    def moments(self, first: int = 1, last: int = MOST_EVENTS) -> list[Moment]:
        """The moments from one place to another."""
        return [self.moment(row) for row in range(first, min(last, len(self)) + 1)]

    def of_version(self, version: int) -> Moment:
        """The moment of a version. Raises `Refused` beyond the last one, `NotFound` for others."""
        versions = [0 if one.is_refusal else one.version for one in self.recorded]
        if version in versions and version:
            return self.moment(versions.index(version) + 1)
        head = max(versions, default=0)
        if version > head:
            raise Refused("head", f"version {version} came, the head of the server is {head}")
        raise NotFound(f"version {version} of server {self.server_id} is not shown here")

    def of_position(self, position: int) -> Moment:
        """The moment at a position of the log. Raises `NotFound`."""
        positions = list(map(_position, self.recorded))
        if position not in positions:
            raise NotFound(f"position {position} is not in the history of {self.server_id}")
        return self.moment(positions.index(position) + 1)

    def as_of(self, position: int) -> Moment:
        """The last moment of those that the log had taken in at a position, or the first one."""
        rows = range(len(self), 0, -1)
        known = (row for row in rows if self.recorded[row - 1].position <= position)
        return self.moment(next(known, 1))

    def nearest(self, share: float) -> Moment:
        """The moment nearest to a share of the time between the first and the last."""
        times = self.times
        at = times[0] + share * (times[-1] - times[0])
        row = bisect_left(times, at)
        around = range(max(row - 1, 0), min(row + 1, len(times)))
        return self.moment(1 + min(around, key=lambda one: abs(times[one] - at)))


def _position(one: RecordedEvent) -> int:
    return one.position


def _place(one: RecordedEvent) -> tuple[int, int]:
    return one.occurred_at, one.position


def _weight(one: RecordedEvent, before: Server | None, after: Server | None) -> int:
    bare = _EVENT + _MEMBERS * len(one.command.members)
    # Servers share their metadata for as long as no event changes it.
    if after is None or (before is not None and after.metadata is before.metadata):
        return bare
    return bare + weight(after)


def _late(recorded: Sequence[RecordedEvent]) -> set[int]:
    """The positions of what came late among some that stand in order of occurrence."""
    least = LARGEST
    late = set()
    for one in reversed(recorded):
        if one.position > least:
            late.add(one.position)
        least = min(least, one.position)
    return late
