"""A server's history: each event with who asked, when, why, and what it changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from msgspec import to_builtins

from serverdomain.domain import moment
from serverdomain.domain.document import Change, changes
from serverdomain.domain.events import Event
from serverdomain.domain.server import Server, evolve
from serverdomain.projections.told import Told
from serverdomain.store.recorded import RecordedEvent


@dataclass(frozen=True)
class HistoryEntry(Told):
    """An event in a server's history; ``changes`` are those of the documented answer.

    A refusal changes nothing.
    """

    changes: tuple[Change, ...]

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


def history(recorded: Iterable[RecordedEvent], before: Server | None = None) -> list[HistoryEntry]:
    """The history of a server whose events are given in order of occurrence.

    ``before`` is the server before the first of them, if there was one.
    """
    entries: list[HistoryEntry] = []
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
