"""A history with requests or events dropped, inserted or replaced, to be decided again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from serverdomain.audit.past_requests import PastRequest
from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.typed import require_members, require_type
from serverdomain.errors import InvalidInput, NotFound
from serverdomain.store.context import Context

CommandOrFacts = c.Command | Sequence[e.Event]
"""A command to decide, or facts to take as they are."""

RequestOrPosition = str | int
"""A request by its id, or an event by its position."""

Replacements = tuple[tuple[e.Event, tuple[e.Event, ...]], ...]
"""Events, each with those that take its place."""


class Supposed(Struct, frozen=True):
    """A command that nobody asked, or facts that did not happen; when (aware), and by whom."""

    what: CommandOrFacts
    occurred_at: datetime
    context: Context

    def __post_init__(self) -> None:
        require_members(self)


class Entry(NamedTuple):
    """A request as it was and as it is supposed, with replacements for some of its events."""

    was: PastRequest | None
    supposed: PastRequest | None
    replacements: Replacements = ()


def suppose(
    server_id: str,
    history: Sequence[PastRequest],
    drop: Iterable[RequestOrPosition],
    insert: Iterable[Supposed],
    replacing: Mapping[RequestOrPosition, CommandOrFacts],
) -> list[Entry]:
    """The history with these changes, in the order in which the log would have recorded it.

    Raises `NotFound` for a request or event that is not in it, `InvalidInput` if a command is to
    replace an event.
    """
    dropped, inserted = tuple(drop), tuple(insert)
    require_type("drop", dropped, tuple[RequestOrPosition, ...])
    require_type("insert", inserted, tuple[Supposed, ...])
    changed: dict[RequestOrPosition, CommandOrFacts] = {**replacing, **dict.fromkeys(dropped, ())}
    _require_known(server_id, history, changed)
    entries = [_entry(one, changed) for one in history]
    for one in inserted:
        _insert(entries, one)
    return entries


def _require_known(
    server_id: str,
    history: Sequence[PastRequest],
    changed: Mapping[RequestOrPosition, CommandOrFacts],
) -> None:
    requests = {one.request_id for one in history}
    positions = {position for one in history for position in one.positions}
    for named, what in changed.items():
        if isinstance(named, int):
            if named not in positions:
                raise NotFound(f"position {named} is not in the history of server {server_id}")
            if isinstance(what, c.Command):
                raise InvalidInput("replace", f"a command came for the event at position {named}")
        elif named not in requests:
            raise NotFound(f"request {named!r} is not in the history of server {server_id}")


def _entry(one: PastRequest, changed: Mapping[RequestOrPosition, CommandOrFacts]) -> Entry:
    what = changed.get(one.request_id)
    if what is not None:
        if isinstance(what, c.Command):
            return Entry(one, replace(one, kind=what.kind, command=what))
        facts = tuple(what)
        return Entry(one, replace(one, command=c.RecordFacts(events=facts)) if facts else None)
    happened = one.events or (() if one.refusal is None else (one.refusal,))
    replacements = []
    for position, event in zip(one.positions, happened, strict=True):
        other = changed.get(position)
        if other is not None and not isinstance(other, c.Command):
            replacements.append((event, tuple(other)))
    return Entry(one, one, tuple(replacements))


def _insert(entries: list[Entry], one: Supposed) -> None:
    at = moment.to_micros(one.occurred_at, "occurred_at")
    what = one.what
    command = what if isinstance(what, c.Command) else c.RecordFacts(events=tuple(what))
    inserted = PastRequest(
        request_id=one.context.request_id,
        kind=command.kind,
        actor=one.context.actor,
        occurred_at=at,
        command=command,
    )
    # Before the first request that occurred later. If two occurred at the same time, the one that
    # is already there comes first.
    later = (place for place, entry in enumerate(entries) if _occurred_at(entry) > at)
    entries.insert(next(later, len(entries)), Entry(None, inserted))


def _occurred_at(entry: Entry) -> int:
    asked = entry.was or entry.supposed
    assert asked is not None
    return asked.occurred_at
