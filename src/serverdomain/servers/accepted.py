"""What a command gives back, and what every command may be told besides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

from serverdomain.domain.events import Event
from serverdomain.domain.server import Server
from serverdomain.errors import ServerdomainError

Failed = Callable[[str, ServerdomainError], None]
"""Is told the request id of a command that did not happen, and why."""


@dataclasses.dataclass(frozen=True)
class Accepted:
    """What a command gave: the server as it then is, the events, the position of the last.

    A command that changed nothing has no events and no position. ``replayed`` says that the
    ``request_id`` was in the log and this is the first outcome. ``admin_pass`` is the one-time
    password of a rebuild or a create, told here alone and never again.
    """

    server: Server
    events: tuple[Event, ...]
    position: int | None
    replayed: bool
    request_id: str
    admin_pass: str | None = dataclasses.field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The server's id."""
        return self.server.id


class How(TypedDict, total=False):
    """What every command may be told besides.

    ``expected_version`` is the version that the caller decided on; ``occurred_at``, aware, when it
    happened (now, if absent); ``project_id`` the project that the server must be of, or it is not
    there for the caller.
    """

    expected_version: int | None
    occurred_at: datetime | None
    project_id: str | None
