"""What a reaction's handler is told: an event, and how to command what it causes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.projections.told import Told
from serverdomain.store.context import Context


@dataclass(frozen=True)
class Happened(Told):
    """An event that happened to a server; ``reaction`` is the name of the reaction that is told."""

    reaction: str

    @property
    def version(self) -> int:
        """Its place in the server's stream."""
        return self.recorded.version

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
