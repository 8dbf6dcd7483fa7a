"""What changed between two moments of a server or of the fleet, or from one server to another.

A diff names the events responsible. Between two moments of a server, these are not always the
events in between: a late fact can lie before both moments, and change what a later event does. So
an event is responsible for a path if it leaves another value there in one of the two histories than
in the other, or is in only one of them. A late event is also responsible if, without it, the path
would have another value in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from serverdomain.audit.as_of import (
    AsOf,
    Resolved,
    fleet_position,
    require_position,
    require_version,
)
from serverdomain.domain.document import changes, document
from serverdomain.domain.events import CallReported, ServerObserved, ServerRegistered
from serverdomain.domain.html import table
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.server import Server, fold, is_there
from serverdomain.errors import NotFound
from serverdomain.projections.history import HistoryEntry, history, table_of
from serverdomain.store.log import Reading
from serverdomain.store.recorded import RecordedEvent

_BEGINNINGS = (ServerRegistered, ServerObserved)


class PathChange(Struct, frozen=True, rename={"before": "from", "after": "to"}):
    """A leaf of the documented answer that changed, and the positions of the events responsible.

    ``path`` is a JSON Pointer; ``before`` or ``after`` is ``None`` if it is absent there.
    """

    path: str
    before: object
    after: object
    events: tuple[int, ...]


def _row(change: PathChange) -> tuple[object, ...]:
    absent = ("absent" if leaf is None else leaf for leaf in (change.before, change.after))
    return (change.path, *absent, ", ".join(map(str, change.events)))


_HEAD = ("path", "from", "to", "by")


class Side(Struct, frozen=True):
    """One side of a diff: a server's id, a moment, and the server, ``None`` if it was not there.

    ``as_of`` is ``None`` for a server as it is now.
    """

    server_id: str
    as_of: AsOf | None
    server: Server | None

    def as_json(self) -> dict[str, Any]:
        """What was asked for, as plain values."""
        return {"server_id": self.server_id} | ({} if self.as_of is None else self.as_of.as_json())


class Diff(Struct, frozen=True):
    """What changed from one side to the other, without ``/updated`` and links.

    ``events`` are those responsible for any change, in order of position.
    """

    before: Side
    after: Side
    changes: tuple[PathChange, ...]
    events: tuple[HistoryEntry, ...]

    def _repr_html_(self) -> str:
        one, other = (
            f"{side.server_id} {'now' if side.as_of is None else f'as of {side.as_of}'}"
            for side in (self.before, self.after)
        )
        by = table_of("by these events", self.events)
        return table(f"server {one} → server {other}", _HEAD, map(_row, self.changes)) + by


class FleetDiff(Struct, frozen=True):
    """What changed in the fleet from one moment to another.

    It has a `Diff` for each server whose document changed. That has no changes if only
    ``/updated`` did.
    """

    before: AsOf
    after: AsOf
    servers: tuple[Diff, ...]

    def __len__(self) -> int:
        return len(self.servers)

    def __bool__(self) -> bool:
        return True  # It is an answer, even if nothing changed.

    def __iter__(self) -> Iterator[Diff]:
        return iter(self.servers)

    def _repr_html_(self) -> str:
        rows = (
            (one.before.server_id, *_row(change)) for one in self.servers for change in one.changes
        )
        return table(f"the fleet from {self.before} to {self.after}", ("server", *_HEAD), rows)


class _Branch:
    """A history from where it parts from another one, and the server that it leads to."""

    def __init__(
        self, before: Server | None, rest: Sequence[RecordedEvent], whole: Sequence[RecordedEvent]
    ) -> None:
        self.entries = history(rest, before)
        self.server: Server | None = None
        server = _folded(rest, before)
        if is_there(server):
            first = min(one.position for one in whole)
            self.server = replace(server, version=_version(whole), first_position=first)

    def left(self) -> dict[tuple[int, str], object]:
        """The value that each event left at each path that it changed."""
        return {
            (entry.position, change.path): change.after
            for entry in self.entries
            for change in entry.changes
        }


def diff(log: Reading, server_id: str, before: Resolved, after: Resolved) -> Diff:
    """What changed from one moment of a server to another, earlier or later.

    If the server was not there at one of them, everything is absent at it. Raises `NotFound` if it
    was there at neither, `Refused` beyond the head.
    """
    recorded = log.recorded(server_id)
    if not recorded:
        raise NotFound(f"server {server_id} is not there, and never was")
    one, other = (_resolved(log, server_id, recorded, moment) for moment in (before, after))
    found = _between(server_id, recorded, one, other)
    if found.before.server is None and found.after.server is None:
        raise NotFound(f"server {server_id} is not there as of {one}, nor as of {other}")
    return found


def diff_servers(log: Reading, one_id: str, other_id: str) -> Diff:
    """How one server as it is now differs from another.

    For each path, the events responsible are the last ones on either side that changed it.
    """
    sides, entries = [], dict[int, HistoryEntry]()
    wrote: dict[str, set[int]] = {}
    for server_id in (one_id, other_id):
        recorded = log.recorded(server_id)
        branch = _Branch(None, recorded, recorded)
        if branch.server is None:
            raise NotFound(f"server {server_id} is not there")
        sides.append(Side(server_id, None, branch.server))
        last = {change.path: entry for entry in branch.entries for change in entry.changes}
        for path, entry in last.items():
            wrote.setdefault(path, set()).add(entry.position)
            entries[entry.position] = entry
    one, other = sides
    return _diff(one, other, wrote, entries)


def diff_fleet(
    log: Reading, before: Resolved, after: Resolved, progress: Progress = silent
) -> FleetDiff:
    """What changed in the fleet between two positions or times of recording, in order of ids.

    Only servers with events in between are read. ``progress`` is told how many of them are done,
    and how many there are.
    """
    start, end = (_fleet_moment(log, moment) for moment in (before, after))
    positions = [fleet_position(log, moment) for moment in (start, end)]
    changed = sorted(log.changed_between(min(positions), max(positions)))
    one, other = (AsOf(position=position) for position in positions)
    found = []
    for number, server_id in enumerate(changed, start=1):
        recorded = log.recorded(server_id, max(positions))
        between = _between(server_id, recorded, one, other)
        # Only /updated may differ, which is in the document but is no change.
        if between.changes or _shown(between.before) != _shown(between.after):
            found.append(between)
        progress(number, len(changed))
    return FleetDiff(start, end, tuple(found))


def _shown(side: Side) -> dict[str, Any] | None:
    return None if side.server is None else document(side.server)


def _between(server_id: str, recorded: Sequence[RecordedEvent], one: AsOf, other: AsOf) -> Diff:
    known = [[event for event in recorded if as_of.counts(event)] for as_of in (one, other)]
    shared = 0
    while shared < min(map(len, known)) and known[0][shared] is known[1][shared]:
        shared += 1
    start = _folded(known[0][:shared])
    old, new = (_Branch(start, events[shared:], events) for events in known)
    left = (old.left(), new.left())
    wrote: dict[str, set[int]] = {}
    for position, path in left[0].keys() | left[1].keys():
        at = (position, path)
        if at not in left[0] or at not in left[1] or left[0][at] != left[1][at]:
            wrote.setdefault(path, set()).add(position)
    for branch, (ours, theirs) in ((old, known), (new, known[::-1])):
        for late in _late(ours[shared:], theirs[shared:]):
            others = [event for event in ours[shared:] if event is not late]
            for change in changes(branch.server, _folded(others, start)):
                wrote.setdefault(change.path, set()).add(late.position)
    entries = {entry.position: entry for branch in (old, new) for entry in branch.entries}
    return _diff(
        Side(server_id, one, old.server), Side(server_id, other, new.server), wrote, entries
    )


def _late(
    ours: Sequence[RecordedEvent], theirs: Sequence[RecordedEvent]
) -> Iterator[RecordedEvent]:
    # The events of one history alone that stand before a shared one: they may have changed what
    # that one does.
    positions = {event.position for event in theirs}
    waiting: list[RecordedEvent] = []
    for event in ours:
        if event.position in positions:
            yield from waiting
            waiting.clear()
        else:
            waiting.append(event)


def _diff(
    one: Side, other: Side, wrote: dict[str, set[int]], entries: dict[int, HistoryEntry]
) -> Diff:
    found = tuple(
        PathChange(*change, tuple(sorted(wrote[change.path])))
        for change in changes(one.server, other.server)
    )
    responsible = {position for change in found for position in change.events}
    # Who asked for it, as another source has it, stands with the facts of the same request.
    requests = {
        request
        for position in responsible
        for request in (entries[position].request_id, entries[position].caused_by)
    }
    responsible |= {
        entry.position
        for entry in entries.values()
        if isinstance(entry.event, CallReported) and (entry.caused_by or "") in requests
    }
    return Diff(one, other, found, tuple(entries[position] for position in sorted(responsible)))


def _folded(recorded: Sequence[RecordedEvent], server: Server | None = None) -> Server | None:
    return fold(((one.event, one.occurred_at) for one in recorded), server)


def _version(recorded: Sequence[RecordedEvent]) -> int:
    return max(one.version for one in recorded)


def _resolved(
    log: Reading, server_id: str, recorded: Sequence[RecordedEvent], moment: Resolved
) -> AsOf:
    if moment == "now":
        return AsOf(position=log.head())
    if moment == "first":
        beginnings = [one.version for one in recorded if isinstance(one.event, _BEGINNINGS)]
        if not beginnings:
            raise NotFound(f"server {server_id} has not begun")
        return AsOf(version=min(beginnings))
    require_position(log, moment)
    require_version(server_id, moment, _version(recorded))
    return moment


def _fleet_moment(log: Reading, moment: Resolved) -> AsOf:
    if moment == "now":
        return AsOf(position=log.head())
    if moment == "first":
        return AsOf(position=log.first())
    return moment
