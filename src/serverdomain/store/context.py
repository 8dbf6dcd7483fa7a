"""The envelope of a command: who asks, under which request, caused by what."""

from __future__ import annotations

import os
from collections import deque

from msgspec import Struct, field

from serverdomain.domain import limits
from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.domain.typed import require_type

_AT_ONCE = 256

_random: deque[bytes] = deque()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.clear)


def new_request_id() -> str:
    """A request id of our own making: ``req-`` and a UUID, as Nova's look."""
    # Written out: an object that is a UUID takes as long again to make as everything else here.
    digits = _sixteen().hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return (
        f"req-{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
    )


def _sixteen() -> bytes:
    # The system is asked for many at once: whoever asks it lets go of Python's lock, and among
    # busy threads waits a hundred times longer to have it back than the bytes take.
    try:
        return _random.pop()
    except IndexError:
        more = os.urandom(16 * _AT_ONCE)
        _random.extend(more[at : at + 16] for at in range(16, len(more), 16))
        return more[:16]


class Context(Struct, frozen=True):
    """Who asks, and which request it is: one for each command.

    ``request_id`` makes a retry harmless: a command is recorded once under it. Without one the
    context gets a new id. ``correlation_id`` groups many commands (a client's global
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
        if self.correlation_id is not None:
            limits.request_id("correlation_id", self.correlation_id)
        if self.caused_by is not None:
            limits.request_id("caused_by", self.caused_by)
