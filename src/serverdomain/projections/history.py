"""A server's history: each event with who asked, when, why, and what it changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from msgspec import to_builtins

from serverdomain.domain import moment
from serverdomain.domain.document import Change, changes
from serverdomain.domain.events import CallReported, CommandRefused, Event
from serverdomain.domain.html import table
from serverdomain.domain.server import Server, evolve
from serverdomain.projections.told import Told
from serverdomain.store.recorded import RecordedEvent

MAY_TELL_NOTHING = frozenset({"ServerObserved", "RebuildRequested"})
"""Events that a source elsewhere reports again and again: most of them change nothing."""

_HEAD = ("position", "occurred", "server", "event", "by", "request", "changes")


@dataclass(frozen=True)
class HistoryEntry(Told):
    """An event in a server's history; ``changes`` are those of the documented answer.

    A refusal changes nothing.
    """

    changes: tuple[Change, ...]

    @property
    def is_news(self) -> bool:
        """Whether it says more than that all is as it was observed before."""
        return bool(self.changes) or self.name not in MAY_TELL_NOTHING

    @property
    def call(self) -> str | None:
        """A reported call as words: what was asked, from where, how it ended. Else ``None``."""
        event = self.event
        if not isinstance(event, CallReported):
            return None
        place = f" from {event.address}" if event.address else ""
        answer = f", answered {event.code}" if event.code else ""
        return f"{event.action}{place} reported with outcome {event.outcome}{answer}"

    def as_json(self) -> dict[str, Any]:
        """The entry as plain values, as ``history --json`` prints it."""
        return {
            "position": self.position,
            "version": self.version,
            "event": self.name,
            "server_id": self.server_id,
            "occurred_at": moment.exact(self.recorded.occurred_at),
            "recorded_at": moment.exact(self.recorded.recorded_at),
            "request_id": self.request_id,
            "correlation_id": self.correlation_id,
            "caused_by": self.caused_by,
            "user_id": self.user_id,
            "project_id": self.project_id,
            "data": _data(self.event),
            "changes": [
                {"path": change.path, "from": change.before, "to": change.after}
                for change in self.changes
            ],
        }

    def __repr__(self) -> str:
        return (
            f"<HistoryEntry {self.position} {moment.exact(self.recorded.occurred_at)} {self.name} "
            f"by {self.user_id!a}, {self.request_id}>"
        )


class Entries(list[HistoryEntry]):
    """A history's entries, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return table_of(f"history of {len(self)} events", self)


def table_of(caption: str, entries: Iterable[HistoryEntry]) -> str:
    """Entries as an HTML table."""
    return table(caption, _HEAD, map(_row, entries))


def _row(entry: HistoryEntry) -> tuple[object, ...]:
    changed = [f"{path}: {_leaf(before)} → {_leaf(after)}" for path, before, after in entry.changes]
    event = entry.event
    if isinstance(event, CommandRefused):
        changed = [f"{event.kind} refused by the rule of {event.rule}: {event.why}"]
    if entry.call is not None:
        changed = [entry.call]
    return (
        entry.position,
        moment.exact(entry.recorded.occurred_at),
        entry.server_id,
        entry.name,
        f"{entry.user_id} in {entry.project_id}",
        entry.request_id,
        "; ".join(changed),
    )


def _leaf(value: object) -> str:
    return "absent" if value is None else json.dumps(value, ensure_ascii=False)


def history(recorded: Iterable[RecordedEvent], before: Server | None = None) -> Entries:
    """The history of a server whose events are given in order of occurrence.

    ``before`` is the server before the first of them, if there was one.
    """
    entries = Entries()
    for one in recorded:
        after = evolve(before, one.event, one.occurred_at)
        entries.append(HistoryEntry(one, changes(before, after)))
        before = after
    return entries


def _data(event: Event) -> dict[str, Any]:
    members: dict[str, Any] = to_builtins(event)
    for holder in (members, members.get("fault") or {}, members.get("members") or {}):
        for name in ("created", "occurred_at"):
            if isinstance(holder.get(name), int):
                holder[name] = moment.exact(holder[name])
    return members
