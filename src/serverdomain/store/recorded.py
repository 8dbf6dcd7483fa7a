"""What the log holds: a command that was recorded, an event in its place, a server's stream."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from serverdomain.domain.events import Event
from serverdomain.domain.server import Server, fold


class RecordedCommand(Struct, frozen=True):
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
    occurred_at: int
    recorded_at: int


class RecordedEvent(Struct, frozen=True):
    """An event in its place, with the command that it came from."""

    position: int
    version: int
    topic: str
    event: Event
    command: RecordedCommand


class Fact(NamedTuple):
    """What the fold needs of an event, and how its history orders it."""

    occurred_at: int
    position: int
    event: Event


class Stream:
    """A server's events as they were read: its history in order of occurrence, and its version."""

    def __init__(self, server_id: str, version: int, facts: list[Fact]) -> None:
        self.server_id = server_id
        self.version = version
        # Events are not ordered; among equal times the position, which is unique, decides.
        self.history = sorted(facts, key=_order)

    @cached_property
    def server(self) -> Server | None:
        """The server after its history; ``None`` before its beginning."""
        return self.then(None, self.history, self.version)

    @property
    def latest(self) -> int | None:
        """When its latest fact occurred."""
        return self.history[-1].occurred_at if self.history else None

    @staticmethod
    def then(server: Server | None, facts: list[Fact], version: int) -> Server | None:
        """A server after more facts, in their order, and its version as of them."""
        server = fold(((fact.event, fact.occurred_at) for fact in facts), server)
        return None if server is None else replace(server, version=version)

    def with_facts(self, facts: list[Fact]) -> Stream:
        """The stream after facts that were just appended, late ones in their place."""
        return Stream(self.server_id, self.version + len(facts), self.history + facts)


def _order(fact: Fact) -> tuple[int, int]:
    return fact[:2]
