"""A batch of commands as it is decided: what the log says, and what the batch will add to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import psycopg
from msgspec.structs import replace
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.domain.history import Fact, History
from serverdomain.domain.server import Server
from serverdomain.errors import OutcomeUnknown
from serverdomain.store.log import (
    LARGEST,
    Answered,
    CommitFailed,
    Log,
    News,
    Overtaken,
    Row,
    Tip,
)
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.connection import Watched
from serverdomain.store.postgresql.faults import is_lost
from serverdomain.store.postgresql.writing import PostgreSQLWriting
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.remembered import Remembered
from serverdomain.store.request import Outcome, Request
from serverdomain.store.stored import OF_COMMAND, command_of

RecordedBefore = dict[str, RecordedCommand | None]
"""What is recorded under the request ids that were looked up."""

_AMONG = (
    f"SELECT {OF_COMMAND} FROM {{schema}}.commands c WHERE c.request_id = ANY(%s) AND c.refused = 0"
)

_FOR_NOW = 2**62
"""Behind it lie the positions of what is not written yet, and no others."""

_TOUCH = "UPDATE {schema}.head SET position = position"

_SENT = """
SELECT MIN(e.position) FROM {schema}.stored_events e JOIN {schema}.commands c
    ON c.command_id = e.command_id
WHERE c.kind = %s AND c.server_id = %s AND c.members = %s AND c.user_id = %s AND c.project_id = %s
    AND c.roles = %s AND c.request_id = %s AND c.correlation_id IS NOT DISTINCT FROM %s
    AND c.caused_by IS NOT DISTINCT FROM %s AND c.occurred_at = %s AND c.recorded_at >= %s
    AND c.refused = %s
"""

_OVERTAKEN = (UniqueViolation, SerializationFailure, DeadlockDetected)
"""What the statement gets where another wrote first what it was not decided on."""


class Deciding(PostgreSQLWriting):
    """What is decided on, before anything of it is locked or written."""

    def __init__(
        self,
        connection: Watched,
        schema: str,
        log: Log,
        remembered: Remembered,
        beginning: Row,
        tip: Tip,
    ) -> None:
        super().__init__(connection, schema, log, remembered, beginning, _FOR_NOW)
        self._behind = 0
        self._sent: Row = ()
        self._watched = connection
        self._tip = tip
        self._known = remembered.follow(self)
        self._among: RecordedBefore = {}
        self._facts: defaultdict[str, list[Fact]] = defaultdict(list)
        self._recorded_now: dict[str, RecordedCommand] = {}
        self._refused: list[RecordedCommand] = []

    def tip(self, until: int = LARGEST) -> Tip:
        """The last row, or the last at or below a position, as of when this began."""
        is_known = until == LARGEST or until == self._tip.position
        return self._tip if is_known else super().tip(until)

    def expect(self, requests: Sequence[Request]) -> None:
        """Look all request ids up at once."""
        self._among = dict.fromkeys(one.context.request_id for one in requests)
        found = self._all(_AMONG, list(self._among))
        self._among |= {one.request_id: one for one in map(command_of, found)}

    def so_far(
        self, server_id: str, position: int = LARGEST, base: Server | None = None
    ) -> History:
        """A server's history, and what is to be written of it."""
        assert self._remembered is not None
        server = self._remembered.as_of(self._known, server_id) if position == LARGEST else None
        if server is not None:
            history = History(base=server)  # It may be older than the log; unique indexes tell.
        else:
            history = super().so_far(server_id, position, base)
            if history.server is not None and position == LARGEST:
                self._remembered.keep(history.server, self._known)
        for fact in self._facts[server_id]:
            history.take(fact)
            if history.lacks_past:
                return self.history(server_id)
        return history

    def history(self, server_id: str, **bounds: int) -> History:
        """A server's facts, and what is to be written of it."""
        history = super().history(server_id, **bounds)
        return History([*history.facts, *self._facts[server_id]])

    def command(self, request_id: str) -> RecordedCommand | None:
        """The command that bears a request id, or will.

        Raises `OutcomeUnknown` where one is there that may be lost with this server.
        """
        pending = self._recorded_now.get(request_id)
        found = pending or (
            self._among[request_id] if request_id in self._among else super().command(request_id)
        )
        if found is not None and pending is None:
            self._require_replicated(request_id)
        return found

    def _require_replicated(self, request_id: str) -> None:
        try:
            self._write_once_more()
        except CommitFailed as error:
            raise OutcomeUnknown(request_id, str(error)) from error

    def _write_once_more(self) -> None:
        # A commit that is there may not be on the replica yet. Behind one of our own it is.
        with self._watched.certain():
            self._watched.execute(in_schema(_TOUCH, self.schema))

    def refused_since(self, user_id: str, project_id: str, recorded_at: int) -> int:
        """How many refusals to an actor were recorded after a time, or will be."""
        more = sum(
            (one.user_id, one.project_id) == (user_id, project_id) and one.recorded_at > recorded_at
            for one in self._refused
        )
        return super().refused_since(user_id, project_id, recorded_at) + more

    def append(self, command: RecordedCommand, version: int, events: Sequence[Event]) -> list[int]:
        """Append a command and its events behind ``version``; gives back their positions."""
        positions = super().append(command, version, events)
        self._recorded_now[command.request_id] = replace(command, command_id=len(self._commands))
        self._facts[command.server_id] += [
            Fact(command.occurred_at, position, command.server_id, number, event)
            for number, (position, event) in enumerate(
                zip(positions, events, strict=True), start=version + 1
            )
        ]
        return positions

    def append_refusal(self, command: RecordedCommand, refusal: CommandRefused) -> None:
        """Append what was refused, in a stream of its own beside the server's."""
        super().append_refusal(command, refusal)
        self._refused.append(command)

    def write(self) -> int:
        """Write what was decided, if anything was; raises `Overtaken` and `CommitFailed`."""
        if self._commands:
            self._sent = self._commands[0]
            commands, written = list(self._commands), list(self._events)
            try:
                with self._watched.certain():
                    self._behind = super().write()
            except _OVERTAKEN as error:
                self.require_ours(written)
                raise Overtaken(f"another was there before: {error}") from error
            except psycopg.Error as error:
                if is_lost(error):
                    raise CommitFailed(f"the connection was lost: {error}") from error
                raise
            if self._behind == self._tip.position:
                self._remember(commands, written)
        return self._behind

    def _remember(self, commands: Sequence[Row], events: Sequence[Row]) -> None:
        """Know what was written here, right behind all that was known."""
        assert self._remembered is not None
        stream, version, *_ = events[-1]
        recorded_at = max(self._recorded_at, commands[-1][10])
        tip = Tip(
            self._position,
            stream.encode(),
            version,
            self._command_id,
            commands[-1][6].encode(),
            recorded_at,
        )
        facts = [fact for facts in self._facts.values() for fact in facts]
        news: list[News] = [
            (fact.server_id, replace(fact, position=self._real(fact.position)))
            for fact in sorted(facts, key=lambda fact: fact.position)
        ]
        self._remembered.grow(self._known, news, tip)

    def is_written(self, connection: Watched) -> bool:
        """Whether what was sent happened, and stays so; asked on another connection."""
        self.connection = self._watched = connection
        # One statement wrote all or nothing, so the first command stands for all.
        position = self._value(_SENT, *self._sent)
        if position is None:
            return False
        self._write_once_more()
        self._behind = position - 1
        return True

    def as_written(self, answer: Answered) -> Answered:
        """What was answered here with the positions that it has, once it is written."""
        if not isinstance(answer, Outcome):
            return answer
        server, position = answer.server, answer.position
        if server is not None and server.first_position > _FOR_NOW:
            server = replace(server, first_position=self._real(server.first_position))
        if position is not None:
            position = self._real(position)
        return replace(answer, server=server, position=position)

    def _real(self, position: int) -> int:
        return position - _FOR_NOW + self._behind
