"""A server's events in order of occurrence, of which no more is held at a time than a part.

The log has them in order of position. Where facts came late that is another order, in which they
are read by their positions: those of a long history are few bytes, and what they stand for is many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from serverdomain.domain.history import History
from serverdomain.domain.server import Server, evolve
from serverdomain.store.log import LARGEST, Reading
from serverdomain.store.recorded import RecordedEvent
from serverdomain.store.stored import PAGE_BYTES

_AT_ONCE = 2048


def in_order(
    reading: Reading,
    server_id: str,
    until: int = LARGEST,
    *,
    after: int = 0,
    with_refusals: bool = False,
) -> Iterator[RecordedEvent]:
    """One after another what `Reading.recorded` gives."""
    order = reading.order(server_id, until, after=after, with_refusals=with_refusals)
    for positions in _parts(order):
        found = {one.position: one for one in reading.events_at(positions)}
        yield from (found[position] for position in positions)


def states(
    recorded: Iterable[RecordedEvent],
) -> Iterator[tuple[RecordedEvent, Server | None, Server | None]]:
    """Each of a server's events with the server before it and after it, as `History` has it."""
    before: Server | None = None
    version, first = 0, LARGEST
    for one in recorded:
        version, first = max(version, one.version), min(first, one.position)
        after = evolve(before, one.event, one.occurred_at)
        if after is not None:
            after = replace(after, version=version, first_position=first)
        yield one, before, after
        before = after


def late_history(reading: Reading, server_id: str, until: int) -> History:
    """The history up to a position of a server of which facts came late."""
    server: Server | None = None
    for _, _, after in states(in_order(reading, server_id, until)):
        server = after
    return reading.history(server_id, position=until) if server is None else History(base=server)


def _parts(order: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    positions: list[int] = []
    size = 0
    for position, weight in order:
        positions.append(position)
        size += weight
        if size >= PAGE_BYTES or len(positions) == _AT_ONCE:
            yield positions
            positions, size = [], 0
    if positions:
        yield positions
