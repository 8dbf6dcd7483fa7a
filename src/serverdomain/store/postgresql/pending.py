"""What a batch is going to add to a log in PostgreSQL: it is decided on before it is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from serverdomain.domain.events import Event
from serverdomain.domain.history import Fact
from serverdomain.store.log import News
from serverdomain.store.postgresql.sent import FOR_NOW, Sent
from serverdomain.store.recorded import RecordedCommand


class Pending:
    """Facts and commands with numbers for now, and what was refused."""

    def __init__(self) -> None:
        self.facts: defaultdict[str, list[Fact]] = defaultdict(list)
        """Of each server."""
        self.commands: dict[str, RecordedCommand] = {}
        """By their request ids; what was refused is not among them."""
        self.refused: list[RecordedCommand] = []

    def append(
        self,
        number: int,
        command: RecordedCommand,
        version: int,
        positions: Sequence[int],
        events: Sequence[Event],
    ) -> None:
        """Add the batch's command of a number, and its events behind a version of its server."""
        self.commands[command.request_id] = replace(command, command_id=FOR_NOW + number)
        self.facts[command.server_id] += [
            Fact(command.occurred_at, position, command.server_id, after, event)
            for after, (position, event) in enumerate(
                zip(positions, events, strict=True), start=version + 1
            )
        ]

    def refused_since(self, user_id: str, project_id: str, recorded_at: int) -> int:
        """How many refusals to an actor will be recorded after a time."""
        return sum(
            (one.user_id, one.project_id) == (user_id, project_id) and one.recorded_at > recorded_at
            for one in self.refused
        )

    def news(self, sent: Sent) -> list[News]:
        """All facts, in order of the positions that they have now that they are written."""
        facts = [fact for some in self.facts.values() for fact in some]
        return [
            (fact.server_id, replace(fact, position=sent.position(fact.position)))
            for fact in sorted(facts, key=lambda fact: fact.position)
        ]
