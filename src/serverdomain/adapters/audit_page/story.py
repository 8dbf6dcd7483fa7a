"""A server's story: what happened to it, in order of occurrence, and what it was after each.

The stories of servers looked at of late are kept, so that one scrubs through ten thousand events
without reading them again for each.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from serverdomain.domain.limits import canonical_uuid
from serverdomain.domain.server import Server, evolve, is_there
from serverdomain.errors import InvalidInput, NotFound, Refused
from serverdomain.projections.history import HistoryEntry
from serverdomain.servers import Servers
from serverdomain.store.log import LARGEST
from serverdomain.store.weighed import Weighed

MOST_BYTES = 64 * 1024 * 1024
"""What the stories weigh that are kept, at most."""

MOST_EVENTS = 50_000
"""The most events that a story has; of a longer one the latest are shown."""

_EVENT = 2 * 1024
"""About what an event of a story weighs, in bytes."""


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


class Story(NamedTuple):
    """The moments of a server up to a position of the log, in order of occurrence.

    ``left_out`` is how many came before the first of them.
    """

    server_id: str
    moments: tuple[Moment, ...]
    head: int
    left_out: int

    @property
    def now(self) -> Server | None:
        """The server as it is now, a deleted one as it was; ``None`` if it never began."""
        return self.moments[-1].after

    @property
    def name(self) -> str:
        """Its name, or its id where it has none."""
        return (self.now and self.now.name) or self.server_id

    @property
    def project_id(self) -> str:
        """Its project, or, if it never began, the project of who asked for it."""
        now = self.now
        return self.moments[-1].entry.project_id if now is None else now.project_id

    @property
    def is_there(self) -> bool:
        """Whether it has begun and was not deleted."""
        return is_there(self.now)

    def moment(self, row: int) -> Moment:
        """The moment at a place from 1, or the nearest one."""
        return self.moments[min(max(row, 1), len(self.moments)) - 1]

    def of_version(self, version: int) -> Moment:
        """The moment of a version. Raises `Refused` beyond the last one, `NotFound` for others."""
        found = next((one for one in self.moments if one.entry.version == version), None)
        if found is not None:
            return found
        head = max((one.entry.version or 0 for one in self.moments), default=0)
        if version > head:
            raise Refused("head", f"version {version} came, the head of the server is {head}")
        raise NotFound(f"version {version} of server {self.server_id} is not shown here")

    def of_position(self, position: int) -> Moment:
        """The moment at a position of the log. Raises `NotFound`."""
        found = next((one for one in self.moments if one.entry.position == position), None)
        if found is None:
            raise NotFound(f"position {position} is not in the history of {self.server_id}")
        return found

    def nearest(self, share: float) -> Moment:
        """The moment nearest to a share of the time between the first and the last."""
        times = [one.at for one in self.moments]
        at = times[0] + share * (times[-1] - times[0])
        row = bisect_left(times, at)
        around = self.moments[max(row - 1, 0) : row + 1]
        return min(around, key=lambda one: abs(one.at - at))


class Stories:
    """The stories of a log's servers."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._kept: Weighed[str, Story] = Weighed(MOST_BYTES)

    def find(self, named: str, within: str | None, head: int | None = None) -> Story:
        """The story of a server, by its id; up to ``head`` it may be one that is kept.

        Raises `NotFound` where there is none, and for a server of another project than ``within``.
        """
        try:
            server_id = canonical_uuid("id", named)
        except InvalidInput:
            raise NotFound(f"{named!a} is no id of a server") from None
        story = self._kept.get(server_id)
        if story is None or (story.head != head and story.head != self._servers.head()):
            story = self._read(server_id)
            self._kept.put(server_id, story, _EVENT * len(story.moments))
        if within not in (None, story.project_id):
            raise NotFound(f"server {server_id} is not there, and never was")
        return story

    def _read(self, server_id: str) -> Story:
        # Whatever comes after this is asked for again.
        head = self._servers.head()
        entries = self._servers.history(server_id)
        return told(server_id, entries, head)


def told(server_id: str, entries: list[HistoryEntry], head: int) -> Story:
    """The story that a whole history tells."""
    after: Server | None = None
    moments = []
    for row, (entry, late) in enumerate(zip(entries, _late(entries), strict=True), start=1):
        after = evolve(after, entry.event, entry.recorded.occurred_at)
        moments.append(Moment(row, entry, after, late))
    left_out = max(len(moments) - MOST_EVENTS, 0)
    shown = [one._replace(row=one.row - left_out) for one in moments[left_out:]]
    return Story(server_id, tuple(shown), head, left_out)


def _late(entries: list[HistoryEntry]) -> list[bool]:
    least = LARGEST
    late = []
    for entry in reversed(entries):
        late.append(entry.position > least)
        least = min(least, entry.position)
    return late[::-1]
