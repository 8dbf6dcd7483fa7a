"""The envelope of a command: who asks, under which request, caused by what."""

from __future__ import annotations

from uuid import uuid4

from msgspec import Struct, field

from serverdomain.domain import limits
from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.domain.typed import require_type


def new_request_id() -> str:
    """A request id of our own making: ``req-`` and a UUID, as Nova's look."""
    return f"req-{uuid4()}"


class Context(Struct, frozen=True):
    """Who asks, and which request it is.

    ``request_id`` makes a retry harmless: a command is recorded once under it. Without one the
    command gets an id of its own. ``correlation_id`` groups many commands (a client's global
    request id); ``caused_by`` is the request id of the command whose event made this one happen.
    Ids are 1 to 255 printable ASCII characters without a space.
    """

    actor: Actor = SYSTEM
    request_id: str = field(default_factory=new_request_id)
    correlation_id: str | None = None
    caused_by: str | None = None

    def __post_init__(self) -> None:
        if type(self.actor) is not Actor:
            require_type("actor", self.actor, Actor)
        limits.request_id("request_id", self.request_id)
        for name in ("correlation_id", "caused_by"):
            if getattr(self, name) is not None:
                limits.request_id(name, getattr(self, name))
