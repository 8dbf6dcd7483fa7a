"""What the log holds: a command that was recorded, and an event in its place. One shape each."""

from __future__ import annotations

from msgspec import Struct

from serverdomain.domain.events import CommandRefused, Event, Micros


class RecordedCommand(Struct, frozen=True, gc=False, array_like=True):
    """A row of ``commands``; times in microseconds since 1970 UTC, ``members`` canonical JSON."""

    command_id: int
    kind: str
    server_id: str
    members: str
    user_id: str
    project_id: str
    roles: tuple[str, ...]
    request_id: str
    correlation_id: str | None
    caused_by: str | None
    occurred_at: Micros
    recorded_at: Micros


class RecordedEvent(Struct, frozen=True, gc=False):
    """An event in its place, with the command that it came from."""

    position: int
    version: int
    topic: str
    event: Event
    command: RecordedCommand

    @property
    def name(self) -> str:
        """The event's permanent name."""
        return self.topic.split(":")[1]

    @property
    def server_id(self) -> str:
        """The server that it happened to, or, refused, did not."""
        return self.command.server_id

    @property
    def occurred_at(self) -> int:
        """When it occurred, in microseconds since 1970 UTC."""
        return self.command.occurred_at

    @property
    def recorded_at(self) -> int:
        """When the log took it in, in microseconds since 1970 UTC."""
        return self.command.recorded_at

    @property
    def is_refusal(self) -> bool:
        """Whether a rule said no, and nothing happened."""
        return isinstance(self.event, CommandRefused)
