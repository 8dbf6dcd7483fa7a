"""Check the timeline: each row is made again from the log and compared, and none may be missing.

A server's rows are compared together, with the server that the timeline keeps after them; refusals,
which stand in streams of their own, in order of position.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct

from serverdomain.audit.check_view import Row, Unreadable, live
from serverdomain.domain.document import changes
from serverdomain.domain.server import Server
from serverdomain.errors import StoreError
from serverdomain.projections import timeline_rows
from serverdomain.projections.server_rows import read_row
from serverdomain.projections.timeline_rows import COLUMNS, TIMELINE
from serverdomain.store.codec import CODEC, PREFIX, server_id_of
from serverdomain.store.finding import Finding
from serverdomain.store.in_order import states
from serverdomain.store.log import Reading
from serverdomain.store.recorded import RecordedCommand, RecordedEvent

_REFUSED = f"{PREFIX}CommandRefused:"
_NAMES = list(COLUMNS)
_PROJECT = _NAMES.index("server_project_id")


class Made(Struct, frozen=True):
    """The rows of a server by position, as the log makes them, and the server after them."""

    rows: dict[int, Row]
    server: Server | None


class Kept(Struct, frozen=True):
    """A server as the timeline keeps it, in JSON."""

    server: Any


def rows(log: Reading, timeline: sqlite3.Connection, step: Callable[[], None]) -> Iterator[Finding]:
    """Rows that are not as the log makes them up to the timeline's position."""
    generation = yield from live(log, timeline, TIMELINE)
    if generation is None:
        return
    table, last = generation.table, generation.position
    projects: dict[str, set[str]] = {}
    made = _made(log, last, projects, step)
    shown = groupby(
        timeline.execute(f"SELECT * FROM {table} WHERE version IS NOT NULL ORDER BY server_id"),
        itemgetter(_NAMES.index("server_id")),
    )
    there = ((str(server_id), list(some)) for server_id, some in shown)
    kept = timeline.execute(f"SELECT id, server FROM {timeline_rows.servers_of(table)} ORDER BY id")
    after = ((str(server_id), Kept(server)) for server_id, server in kept)
    by_id = itemgetter(0)
    for server_id, all_of_it in groupby(merge(made, there, after, key=by_id), by_id):
        yield from _of_server(server_id, [one for _, one in all_of_it])
    refusals = timeline.execute(f"SELECT * FROM {table} WHERE version IS NULL ORDER BY position")
    yield from _refusals(log, last, projects, refusals, step)


def _of_server(
    server_id: str, found: list[Made | Unreadable | list[Row] | Kept]
) -> Iterator[Finding]:
    if isinstance(found[0], Unreadable):
        return
    made = found[0] if isinstance(found[0], Made) else Made({}, None)
    there = next((one for one in found if isinstance(one, list)), [])
    yield from _unlike(made.rows, {row[0]: row for row in there})
    kept = next((one.server for one in found if isinstance(one, Kept)), None)
    try:
        server = None if kept is None else read_row(kept)
    except sqlite3.DataError:
        server = None
    if server != made.server or (server is None and kept is not None):
        yield Finding("timeline", f"server {server_id} is not the fold in the timeline")


def _unlike(made: dict[int, Row], there: dict[int, Row]) -> Iterator[Finding]:
    for position in sorted(made.keys() | there.keys()):
        if position not in there:
            yield Finding("timeline", "the timeline has no row of this event", position)
        elif position not in made:
            yield Finding("timeline", "the timeline has a row of an event that is not", position)
        else:
            both = zip(_NAMES, made[position], there[position], strict=True)
            wrong = [name for name, one, other in both if one != other]
            if wrong:
                what = f"the timeline's row is not the event in {', '.join(wrong)}"
                yield Finding("timeline", what, position)


def _made(
    log: Reading, last: int, projects: dict[str, set[str]], step: Callable[[], None]
) -> Iterator[tuple[str, Made | Unreadable]]:
    """Each server's rows up to a position; its projects are noted for its refusals."""
    for stream, stored in groupby(log.streams(), key=itemgetter(1)):
        ours = [
            row
            for row in _counted(stored, step)
            if isinstance(row[3], str)
            and row[3].startswith(PREFIX)
            and not row[3].startswith(_REFUSED)
            and row[0] <= last
        ]
        if not ours:
            continue
        server_id = server_id_of(stream)
        try:
            events = sorted(map(_recorded, ours), key=lambda one: (one.occurred_at, one.position))
            made, server = dict[int, Row](), None
            for one, before, server in states(events):
                made[one.position] = timeline_rows.row(one, changes(before, server), before, server)
                if server is not None:
                    projects.setdefault(server_id, set()).add(server.project_id)
        except (StoreError, ValueError, TypeError, OverflowError):
            yield server_id, Unreadable()  # That is a finding on the log.
        else:
            yield server_id, Made(made, server)


def _refusals(
    log: Reading,
    last: int,
    projects: dict[str, set[str]],
    shown: Iterable[Row],
    step: Callable[[], None],
) -> Iterator[Finding]:
    stored = (
        (row[0], row)
        for row in _counted(chain.from_iterable(log.rows()), step)
        if isinstance(row[3], str) and row[3].startswith(_REFUSED) and row[0] <= last
    )
    there: Iterator[tuple[int, Any]] = ((row[0], list(row)) for row in shown)
    by_position = itemgetter(0)
    for position, both in groupby(merge(stored, there, key=by_position), by_position):
        made: dict[int, Row] = {}
        found: dict[int, Row] = {}
        for _, one in both:
            if isinstance(one, list):
                found[position] = tuple(one)
                continue
            try:
                refusal = _recorded(one)
                made[position] = timeline_rows.row(refusal, (), None, None)
            except (StoreError, ValueError, TypeError, OverflowError):
                found.clear()
                break
            known = projects.get(refusal.server_id, set())
        else:
            # The project is the server's as it was known when the refusal came.
            if made and found and found[position][_PROJECT] in known:
                as_known = list(made[position])
                as_known[_PROJECT] = found[position][_PROJECT]
                made[position] = tuple(as_known)
            yield from _unlike(made, found)


def _recorded(row: Row) -> RecordedEvent:
    """A row of the log as its event; the roles play no part."""
    position, _, version, topic, state, command_id, *of_command = row
    kind, server_id, members, user_id, project_id, _, *others = of_command
    command = RecordedCommand(
        command_id, kind, server_id, members, user_id, project_id, (), *others[:-1]
    )
    return RecordedEvent(position, version, topic, CODEC.decode(topic, state, position), command)


def _counted(stored: Iterable[Row], step: Callable[[], None]) -> Iterator[Row]:
    for row in stored:
        step()
        yield row
