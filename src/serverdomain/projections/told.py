"""A recorded event as people and handlers see it, with aware datetimes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from serverdomain.domain import moment
from serverdomain.domain.events import Event
from serverdomain.store.recorded import RecordedEvent


@dataclass(frozen=True)
class Told:
    """An event or a refusal: what happened, to which server, when, and who asked."""

    recorded: RecordedEvent

    @property
    def position(self) -> int:
        """Its position in the whole log, from 1."""
        return self.recorded.position

    @property
    def version(self) -> int | None:
        """Its version in the server's stream, from 1; a refusal has none."""
        return None if self.recorded.is_refusal else self.recorded.version

    @property
    def name(self) -> str:
        """The event's permanent name."""
        return self.recorded.name

    @property
    def event(self) -> Event:
        """What happened."""
        return self.recorded.event

    @property
    def server_id(self) -> str:
        """The server that it happened to."""
        return self.recorded.command.server_id

    @property
    def occurred_at(self) -> datetime:
        """When it occurred; an aware datetime."""
        return moment.to_datetime(self.recorded.command.occurred_at)

    @property
    def recorded_at(self) -> datetime:
        """When the log took it in; an aware datetime."""
        return moment.to_datetime(self.recorded.command.recorded_at)

    @property
    def request_id(self) -> str:
        """The request id of its command."""
        return self.recorded.command.request_id

    @property
    def correlation_id(self) -> str | None:
        """The correlation id of its command, if it has one."""
        return self.recorded.command.correlation_id

    @property
    def caused_by(self) -> str | None:
        """The request id of the command that caused its command, if one did."""
        return self.recorded.command.caused_by

    @property
    def user_id(self) -> str:
        """Who asked."""
        return self.recorded.command.user_id

    @property
    def project_id(self) -> str:
        """The project of the actor who asked."""
        return self.recorded.command.project_id
