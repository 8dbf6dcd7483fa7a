"""What a reaction's handler is told: an event, and how to command what it causes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

import msgspec

from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.domain.typed import typed
from serverdomain.projections.told import Told
from serverdomain.store.context import Context


@dataclass(frozen=True)
@typed
class Happened(Told):
    """An event that happened to a server.

    ``reaction`` names the reaction that is told of it, ``log_id`` the log that it stands in;
    ``number`` counts the events of its command, from 1.
    """

    reaction: str
    log_id: str
    number: int

    @property
    def version(self) -> int:
        """Its version in the server's stream."""
        return self.recorded.version

    def context(self, step: str = "", actor: Actor = SYSTEM) -> Context:
        """The context of a command that this event causes.

        Its request id is made from the reaction, ``step`` and the event: its log, its own request
        id and its number in that command. So a handler that is told of an event again sends the
        same command again, which happens once. A handler that sends more than one command names its
        steps.
        """
        # Not from its position: in a log that was put back from a copy, or lost its end with a
        # server, another command's event may have that.
        of = [self.reaction, self.log_id, self.request_id, self.number, step]
        # The prefix keeps it apart from ids that are made of a project and a client's key.
        named = b"serverdomain-reaction:" + msgspec.json.encode(of)
        return Context(
            actor=actor,
            request_id=f"req-{uuid5(NAMESPACE_URL, named.decode())}",
            correlation_id=self.correlation_id or self.request_id,
            caused_by=self.request_id,
        )
