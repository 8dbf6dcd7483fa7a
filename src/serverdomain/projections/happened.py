"""What a reaction's handler is told: an event, and how to command what it causes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from serverdomain.domain import moment
from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.domain.events import Event
from serverdomain.store.context import Context
from serverdomain.store.recorded import RecordedEvent


@dataclass(frozen=True)
class Happened:
    """An event that happened to a server; times are aware datetimes.

    ``reaction`` is the name of the reaction that is told.
    """

    reaction: str
    position: int
    version: int
    name: str
    event: Event
    server_id: str
    occurred_at: datetime
    recorded_at: datetime
    request_id: str
    correlation_id: str | None
    user_id: str
    project_id: str

    def context(self, step: str = "", actor: Actor = SYSTEM) -> Context:
        """The context of a command that this event causes.

        Its request id is made from the reaction, the position and ``step``: a handler that is told
        of an event again commands the same again, and it happens once. A handler that commands
        more than one thing names its steps.
        """
        # Not as ids are made of a project and a client's key: none of those may be this one.
        named = f"serverdomain-reaction:{self.reaction}:{self.position}:{step}"
        return Context(
            actor=actor,
            request_id=f"req-{uuid5(NAMESPACE_URL, named)}",
            correlation_id=self.correlation_id or self.request_id,
            caused_by=self.request_id,
        )


def happened(reaction: str, recorded: RecordedEvent) -> Happened:
    """What a reaction is told of a recorded event."""
    command = recorded.command
    return Happened(
        reaction=reaction,
        position=recorded.position,
        version=recorded.version,
        name=recorded.topic.split(":")[1],
        event=recorded.event,
        server_id=command.server_id,
        occurred_at=moment.to_datetime(command.occurred_at),
        recorded_at=moment.to_datetime(command.recorded_at),
        request_id=command.request_id,
        correlation_id=command.correlation_id,
        user_id=command.user_id,
        project_id=command.project_id,
    )
