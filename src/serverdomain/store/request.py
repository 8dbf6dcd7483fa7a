"""What is asked of a log, and what comes of it."""

from __future__ import annotations

from msgspec import Struct

from serverdomain.domain.commands import Command
from serverdomain.domain.events import Event
from serverdomain.domain.server import Server
from serverdomain.store.context import Context


class Request(Struct, frozen=True, kw_only=True):
    """A command as it is asked of a server, by whom and when.

    ``server_id`` is in canonical form, one that was generated where the ``command`` says so.
    ``occurred_at`` is the time that was given, if any, and ``now`` the clock, in microseconds since
    1970 UTC. With a ``project_id`` a server of another project is not there. Where it is not
    ``answered``, nobody looks at the server that comes of it.
    """

    server_id: str
    command: Command
    context: Context
    now: int
    occurred_at: int | None = None
    expected_version: int | None = None
    project_id: str | None = None
    answered: bool = True


class Outcome(Struct, frozen=True, kw_only=True):
    """The server after a command, the command's events, and the position of the last of them.

    ``server`` is ``None`` where facts were recorded of one that has not begun, or are not answered.
    ``replayed`` says that the request id was in the log and this is the first outcome; what is not
    answered is told no more of it.
    """

    server: Server | None
    events: tuple[Event, ...]
    position: int | None
    replayed: bool
