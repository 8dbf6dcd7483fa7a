"""What happened to a server: each event with who, when, why and what it changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import to_builtins

from serverdomain.domain import moment
from serverdomain.domain.document import Change, changes
from serverdomain.domain.events import CommandRefused, Event
from serverdomain.domain.server import Server, evolve
from serverdomain.store.recorded import RecordedEvent


@dataclass(frozen=True)
class HistoryEntry:
    """One event in a server's history; times are aware datetimes.

    ``name`` is the event's permanent name, ``changes`` what the documented answer showed before
    and after it. A refusal has no ``version`` and changed nothing.
    """

    position: int
    version: int | None
    name: str
    event: Event
    server_id: str
    occurred_at: datetime
    recorded_at: datetime
    request_id: str
    correlation_id: str | None
    caused_by: str | None
    user_id: str
    project_id: str
    changes: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        """The entry as plain values, as ``history --json`` shows it."""
        return {
            "position": self.position,
            "version": self.version,
            "event": self.name,
            "server_id": self.server_id,
            "occurred_at": moment.exact(moment.to_micros(self.occurred_at)),
            "recorded_at": moment.exact(moment.to_micros(self.recorded_at)),
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
    """The history that a server's events tell, given in order of occurrence.

    ``before`` is the server that they happened to, where they are not its first.
    """
    entries: list[HistoryEntry] = []
    for one in recorded:
        command = one.command
        after = evolve(before, one.event, command.occurred_at)
        entries.append(
            HistoryEntry(
                position=one.position,
                version=None if isinstance(one.event, CommandRefused) else one.version,
                name=one.topic.split(":")[1],
                event=one.event,
                server_id=command.server_id,
                occurred_at=moment.to_datetime(command.occurred_at),
                recorded_at=moment.to_datetime(command.recorded_at),
                request_id=command.request_id,
                correlation_id=command.correlation_id,
                caused_by=command.caused_by,
                user_id=command.user_id,
                project_id=command.project_id,
                changes=changes(before, after),
            )
        )
        before = after
    return entries


def _data(event: Event) -> dict[str, Any]:
    members: dict[str, Any] = to_builtins(event)
    for holder in (members, members.get("fault") or {}, members.get("members") or {}):
        for name in ("created", "occurred_at"):
            if isinstance(holder.get(name), int):
                holder[name] = moment.exact(holder[name])
    return members
