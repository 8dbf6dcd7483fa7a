"""A history with something dropped, inserted or replaced, before it is decided again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from serverdomain.audit.asked import Asked
from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.errors import InvalidInput, NotFound
from serverdomain.store.context import Context

What = c.Command | Sequence[e.Event]
"""A command to decide, or facts to take as they are."""

Named = str | int
"""A request by its id, or an event by its position."""


@dataclass(frozen=True)
class Supposed:
    """Something that was not asked: a command, or facts; when (aware), and by whom."""

    what: What
    occurred_at: datetime
    context: Context


class Entry(NamedTuple):
    """A request as it was and as it is supposed; ``instead`` says which events become which."""

    was: Asked | None
    supposed: Asked | None
    instead: tuple[tuple[e.Event, tuple[e.Event, ...]], ...] = ()


def suppose(
    server_id: str,
    history: Sequence[Asked],
    drop: Iterable[Named],
    insert: Iterable[Supposed],
    replacing: Mapping[Named, What],
) -> list[Entry]:
    """A history changed so, in the order in which the log would have taken it in.

    Raises `NotFound` for a request or event that is not in it, `InvalidInput` where a command is to
    replace an event.
    """
    changed: dict[Named, What] = {**replacing, **dict.fromkeys(drop, ())}
    _ask_known(server_id, history, changed)
    entries = [_entry(one, changed) for one in history]
    for one in insert:
        _insert(entries, one)
    return entries


def _ask_known(server_id: str, history: Sequence[Asked], changed: Mapping[Named, What]) -> None:
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


def _entry(one: Asked, changed: Mapping[Named, What]) -> Entry:
    what = changed.get(one.request_id)
    if what is not None:
        if isinstance(what, c.Command):
            return Entry(one, replace(one, kind=what.kind, command=what))
        facts = tuple(what)
        return Entry(one, replace(one, command=c.RecordFacts(events=facts)) if facts else None)
    happened = one.events or (() if one.refusal is None else (one.refusal,))
    instead = []
    for position, event in zip(one.positions, happened, strict=True):
        other = changed.get(position)
        if other is not None and not isinstance(other, c.Command):
            instead.append((event, tuple(other)))
    return Entry(one, one, tuple(instead))


def _insert(entries: list[Entry], one: Supposed) -> None:
    at = moment.to_micros(one.occurred_at, "occurred_at")
    what = one.what
    command = what if isinstance(what, c.Command) else c.RecordFacts(events=tuple(what))
    inserted = Asked(
        request_id=one.context.request_id,
        kind=command.kind,
        actor=one.context.actor,
        occurred_at=at,
        command=command,
    )
    # Before the first that the log took in and that occurred later; of two at one time, the one
    # that is there already comes first.
    later = (place for place, entry in enumerate(entries) if _occurred_at(entry) > at)
    entries.insert(next(later, len(entries)), Entry(None, inserted))


def _occurred_at(entry: Entry) -> int:
    asked = entry.was or entry.supposed
    assert asked is not None
    return asked.occurred_at
