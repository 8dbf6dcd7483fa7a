"""A call as a caller noted it: what was asked, when it began and ended, and what was answered."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct

from serverdomain import (
    AsOf,
    Conflict,
    Context,
    Event,
    NotFound,
    OutcomeUnknown,
    Refused,
    Server,
    Servers,
    StoreError,
    StoreLocked,
)
from serverdomain.domain.commands import Command


class Ask(Struct, frozen=True):
    """A command of a server."""

    server_id: str
    command: Command
    context: Context
    expected_version: int | None = None


class Get(Struct, frozen=True):
    """A server as it is, or as of a position."""

    server_id: str
    position: int | None = None


class List(Struct, frozen=True):
    """All servers that are there."""


class History(Struct, frozen=True):
    """What happened to a server."""

    server_id: str


class Done(Struct, frozen=True):
    """What a command gave; it has no events where it changed nothing."""

    server: Server
    events: tuple[Event, ...]
    position: int | None
    replayed: bool = False


class Raised(Struct, frozen=True):
    """The error that came, by its class, and the rule that said no."""

    kind: str
    rule: str | None = None


class Seen(Struct, frozen=True):
    """The servers that were read."""

    servers: tuple[Server, ...]


class Told(Struct, frozen=True):
    """A history that was read: of each entry the position, the version and the request id."""

    entries: tuple[tuple[int, int | None, str | None], ...]


Asked = Ask | Get | List | History
Answer = Done | Raised | Seen | Told


class Call(Struct, frozen=True):
    """A call of ``who``, by the monotonic clock, which all processes of a machine share.

    Without an ``answer`` nobody was told the outcome: the caller was killed, or told that it is
    unknown.
    """

    who: str
    asked: Asked
    began: int
    ended: int | None = None
    answer: Answer | None = None


def call(servers: Servers, who: str, asked: Asked, note: Callable[[Call], None]) -> Call:
    """Ask, and note it twice: as it begins, and with the answer."""
    begun = Call(who, asked, time.monotonic_ns())
    note(begun)
    answer = answer_of(servers, asked)
    if answer is None:
        return begun
    ended = Call(who, asked, begun.began, time.monotonic_ns(), answer)
    note(ended)
    return ended


def answer_of(servers: Servers, asked: Asked) -> Answer | None:
    """What the servers answer; ``None`` where they say that they do not know."""
    try:
        match asked:
            case Ask(server_id, command, context, expected):
                done = servers.command(server_id, command, context, expected_version=expected)
                return Done(done.server, done.events, done.position, done.replayed)
            case Get(server_id, None):
                at_once = servers.get_at_once(server_id)
                return Seen((at_once or servers.get(server_id),))
            case Get(server_id, position):
                return Seen((servers.get(server_id, as_of=AsOf(position=position)),))
            case List():
                return Seen(tuple(servers.list()))
            case History(server_id):
                told = servers.history(server_id)
                entries = ((one.position, one.version, one.request_id) for one in told)
                # Refusals stand where they occurred, which may be by a caller's later clock.
                return Told(tuple(sorted(entries, key=lambda entry: entry[0])))
    except OutcomeUnknown:
        return None
    except Refused as no:
        return Raised("Refused", no.rule)
    except (Conflict, NotFound, StoreLocked) as no:
        return Raised(type(no).__name__)
    except StoreError as no:
        # A database that is too busy to answer in time is not had, as a lock is not.
        if "no answer came in" not in str(no):
            raise
        return Raised("StoreLocked")
