"""The log as points, one behind each command: what each server was there, by the fold alone."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from serverdomain import Event, Server, Servers
from serverdomain.domain.server import evolve, is_there
from serverdomain.store.recorded import RecordedEvent


class Written(Struct, frozen=True):
    """A command in the log, or a refusal: the point behind it, and its positions."""

    point: int
    first: int
    last: int
    server_id: str
    request_id: str
    kind: str
    user_id: str
    refused: bool
    events: tuple[Event, ...]
    versions: tuple[int, ...]


class State(Struct, frozen=True):
    """A server behind the event at a position; ``point`` is that of its command."""

    position: int
    point: int
    server: Server | None
    version: int


BEFORE_ALL = State(0, 0, None, 0)


class Points:
    """Where readers can have stood: at point 0, before everything, or behind a command."""

    def __init__(self, events: Sequence[RecordedEvent]) -> None:
        self.wrong = _out_of_order(events)
        self.written: list[Written] = []
        self.recorded: dict[str, Written] = {}
        self.refusals: dict[str, list[Written]] = defaultdict(list)
        self._of: dict[str, list[State]] = defaultdict(lambda: [BEFORE_ALL])
        self._rows: dict[str, list[Written]] = defaultdict(list)
        for _, group in groupby(events, key=lambda one: one.command.command_id):
            self._take(list(group))

    @classmethod
    def of(cls, servers: Servers) -> Points:
        with servers._log.reading() as log:
            return cls(log.events(0, 10**9).events)

    def _take(self, events: list[RecordedEvent]) -> None:
        command, point = events[0].command, len(self.written) + 1
        one = Written(
            point=point,
            first=events[0].position,
            last=events[-1].position,
            server_id=command.server_id,
            request_id=command.request_id,
            kind=command.kind,
            user_id=command.user_id,
            refused=events[0].is_refusal,
            events=tuple(event.event for event in events),
            versions=tuple(event.version for event in events),
        )
        self.written.append(one)
        self._rows[one.server_id].append(one)
        if one.refused:
            self.refusals[one.request_id].append(one)
            return
        if one.request_id in self.recorded:
            self.wrong.append(f"{one.request_id} is in the log twice")
        self.recorded.setdefault(one.request_id, one)
        states = self._of[one.server_id]
        for event in events:
            before = states[-1]
            if event.version != before.version + 1:
                self.wrong.append(f"{event.position}: version {event.version} of {one.server_id}")
            server = evolve(before.server, event.event, event.occurred_at)
            if server is not None:
                first = before.server.first_position if before.server else event.position
                server = replace(server, version=event.version, first_position=first)
            states.append(State(event.position, point, server, event.version))

    def head(self, point: int) -> int:
        """The last position of the log at a point."""
        return self.written[point - 1].last if point else 0

    def point_of(self, position: int) -> int | None:
        """The first point at which the log holds a position."""
        found = bisect_right([one.last for one in self.written], position - 1)
        return None if found == len(self.written) else found + 1

    def at(self, server_id: str, point: int) -> State:
        """The server at a point."""
        states = self._of[server_id]
        return states[bisect_right(states, point, key=lambda one: one.point) - 1]

    def as_of(self, server_id: str, position: int) -> Server | None:
        """The server behind an event, which may be in the middle of a command."""
        states = self._of[server_id]
        return states[bisect_right(states, position, key=lambda one: one.position) - 1].server

    def changes(self, server_id: str, after: int) -> list[int]:
        """The points behind another at which something was recorded of the server."""
        return sorted({one.point for one in self._of[server_id] if one.point > after})

    def there(self, point: int) -> tuple[Server, ...]:
        """All servers that are there, newest first."""
        states = [self.at(server_id, point).server for server_id in self._of]
        found = [server for server in states if is_there(server)]
        found.sort(key=lambda one: (one.created_micros, one.first_position), reverse=True)
        return tuple(found)

    def rows(self, server_id: str, point: int) -> tuple[tuple[int, int | None, str], ...]:
        """A server's history at a point, refusals in their place."""
        return tuple(
            (position, None if one.refused else version, one.request_id)
            for one in self._rows[server_id]
            if one.point <= point
            for position, version in zip(range(one.first, one.last + 1), one.versions, strict=True)
        )


def _out_of_order(events: Sequence[RecordedEvent]) -> list[str]:
    wrong = []
    for place, one in enumerate(events, 1):
        if one.position != place:
            wrong.append(f"position {one.position} stands where {place} was expected")
            break
    commands = [one for one, _ in groupby(events, key=lambda one: one.command.command_id)]
    if len(commands) != len(set(commands)):
        wrong.append("the events of a command do not stand together")
    times = [one.recorded_at for one in events]
    if times != sorted(times):
        wrong.append("recorded_at decreases")
    return wrong
