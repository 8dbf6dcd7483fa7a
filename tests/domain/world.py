"""A small world: a log as a list, and one server folded from it, without a store."""

from collections.abc import Sequence
from typing import NamedTuple

from serverdomain.domain.actor import Actor
from serverdomain.domain.commands import Command
from serverdomain.domain.decisions import decide
from serverdomain.domain.events import Event
from serverdomain.domain.server import Server, evolve, fold


class Logged(NamedTuple):
    """An event in the log; ``position`` counts from 1."""

    event: Event
    occurred_at: int
    position: int


class World:
    """The log of one server, in order of arrival."""

    def __init__(self) -> None:
        self.log: list[Logged] = []
        self.recorded: Server | None = None
        """The state that every decision was made on, kept as it went along."""

    def ask(self, command: Command, actor: Actor, request_id: str, at: int) -> tuple[Event, ...]:
        """Decide on the present, and record what comes of it."""
        decision = decide(self.recorded, command, actor, request_id)
        self.record(decision, at)
        for event in decision:
            self.recorded = evolve(self.recorded, event, at)
        return decision

    def record(self, events: Sequence[Event], at: int) -> None:
        """Take facts in, whenever they come."""
        for event in events:
            self.log.append(Logged(event, at, len(self.log) + 1))

    @property
    def history(self) -> list[tuple[Event, int]]:
        """The events in order of occurrence, and among equal times of position."""
        ordered = sorted(self.log, key=lambda logged: (logged.occurred_at, logged.position))
        return [(logged.event, logged.occurred_at) for logged in ordered]

    @property
    def server(self) -> Server | None:
        """The server as its history has it."""
        return fold(self.history)
