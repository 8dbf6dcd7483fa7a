"""A batch of commands as it is decided: what the log says, and what the batch will add to it."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.domain.history import History
from serverdomain.domain.server import Server
from serverdomain.errors import OutcomeUnknown
from serverdomain.store.codec import stream_of
from serverdomain.store.log import LARGEST, Answered, CommitFailed, Log, Overtaken, Row, Tip
from serverdomain.store.postgresql.connection import Watched
from serverdomain.store.postgresql.ending import HEAD_AND_TIP, End, end_of
from serverdomain.store.postgresql.faults import is_lost
from serverdomain.store.postgresql.pending import Pending
from serverdomain.store.postgresql.sent import FOR_NOW, Sent, write_once_more
from serverdomain.store.postgresql.writing import PostgreSQLWriting
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.remembered import Remembered
from serverdomain.store.request import Request
from serverdomain.store.stored import OF_COMMAND, command_of

_AMONG = (
    f"SELECT {OF_COMMAND} FROM {{schema}}.commands c WHERE c.request_id = ANY(%s) AND c.refused = 0"
)
_OVERTAKEN = (UniqueViolation, SerializationFailure, DeadlockDetected)
"""What the statement gets where another wrote first what it was not decided on."""


class Deciding(PostgreSQLWriting):
    """What is decided on, before anything of it is locked or written.

    The log ends where ``end`` says. If that ``is_known`` and nobody was asked, it is written behind
    there and nowhere else, and what is not written is looked up before it is answered.
    """

    def __init__(
        self,
        connection: Watched,
        schema: str,
        log: Log,
        remembered: Remembered,
        end: End,
        *,
        is_known: bool = False,
    ) -> None:
        super().__init__(connection, schema, log, remembered, end.numbers, FOR_NOW)
        self._watched = connection
        self._end = end
        self._is_known = is_known
        self._known = remembered.follow(self)
        self._among: dict[str, RecordedCommand | None] = {}
        self._histories: dict[str, History] = {}
        self._pending = Pending()
        self.sent: Sent | None = None
        """What was sent, if anything was."""

    def tip(self, until: int = LARGEST) -> Tip:
        """The last row, or the last at or below a position, as of when this began."""
        is_last = until in (LARGEST, self._end.tip.position)
        return self._end.tip if is_last else super().tip(until)

    def expect(self, requests: Sequence[Request]) -> None:
        """Look all request ids up at once, and all servers that are not remembered."""
        self._among = dict.fromkeys(one.context.request_id for one in requests)
        if not self._is_known:
            self._look_up()
        for one in requests:
            if one.command.generates_id:
                self._histories[one.server_id] = History()  # If it is there, an index says so.
        asked = {one.server_id: None for one in requests if one.server_id not in self._histories}
        assert self._remembered is not None
        unknown = [one for one in asked if self._remembered.as_of(self._known, one) is None]
        if len(unknown) > 1:
            for server_id, history in self.so_far_of(unknown).items():
                self._keep(server_id, history)

    def _look_up(self) -> None:
        found = self._all(_AMONG, list(self._among))
        self._among |= {one.request_id: one for one in map(command_of, found)}

    def version(self, server_id: str) -> int:
        """The version of a server's last event, as it will be; 0 if it has none."""
        facts = self._pending.facts[server_id]
        return facts[-1].version if facts else self._version(stream_of(server_id))

    def so_far(
        self, server_id: str, position: int = LARGEST, base: Server | None = None
    ) -> History:
        """A server's history up to a position, with what is to be written of it."""
        if position != LARGEST or base is not None:
            return super().so_far(server_id, position, base)
        facts = self._pending.facts[server_id]
        history = self._histories.get(server_id)
        if history is not None and (not facts or history.version >= facts[-1].version):
            return history
        assert self._remembered is not None
        server = self._remembered.as_of(self._known, server_id)
        if server is None:
            history = self._keep(server_id, super().so_far(server_id))
        else:
            # It may be older than the log; unique indexes tell.
            history = self._histories[server_id] = History(base=server)
        for fact in facts:
            history.take(fact)
            if history.lacks_past:
                return self.history(server_id)
        return history

    def _keep(self, server_id: str, history: History) -> History:
        assert self._remembered is not None
        self._histories[server_id] = history
        if history.server is not None:
            self._remembered.keep(history.server, self._known)
        return history

    def history(self, server_id: str, **bounds: int) -> History:
        """A server's facts, and what is to be written of it."""
        history = super().history(server_id, **bounds)
        return History([*history.facts, *self._pending.facts[server_id]])

    def command(self, request_id: str) -> RecordedCommand | None:
        """The command that bears a request id, or will.

        Raises `OutcomeUnknown` where one is there that may be lost with this server.
        """
        pending = self._pending.commands.get(request_id)
        found = pending or (
            self._among[request_id] if request_id in self._among else super().command(request_id)
        )
        if found is not None and pending is None:
            try:
                write_once_more(self._watched, self.schema)
            except CommitFailed as error:
                raise OutcomeUnknown(request_id, str(error)) from error
        return found

    def refused_since(self, user_id: str, project_id: str, recorded_at: int) -> int:
        """How many refusals to an actor were recorded after a time, or will be."""
        more = self._pending.refused_since(user_id, project_id, recorded_at)
        return super().refused_since(user_id, project_id, recorded_at) + more

    def append(self, command: RecordedCommand, version: int, events: Sequence[Event]) -> list[int]:
        """Append a command and its events behind ``version``; gives back their positions."""
        positions = super().append(command, version, events)
        self._pending.append(len(self._commands), command, version, positions, events)
        return positions

    def append_refusal(self, command: RecordedCommand, refusal: CommandRefused) -> None:
        """Append what was refused, in a stream of its own beside the server's."""
        super().append_refusal(command, refusal)
        self._pending.refused.append(command)

    def write(self) -> End | None:
        """Write what was decided, if anything was; raises `Overtaken` and `CommitFailed`.

        Gives back where the log ends now, unless others wrote right before.
        """
        if self._is_known and not self._among.keys() <= self._pending.commands.keys():
            self._require_unchanged()
        if not self._commands:
            return self._end
        commands, events = list(self._commands), list(self._events)
        self.sent = Sent(self.schema, commands[0])
        try:
            with self._watched.certain():
                self.sent.behind = self.write_behind(self._end.tip if self._is_known else None)
        except _OVERTAKEN as error:
            self.require_ours(events)
            raise Overtaken(f"another was there before: {error}") from error
        except psycopg.Error as error:
            if is_lost(error):
                raise CommitFailed(f"the connection was lost: {error}") from error
            raise
        if self.sent.behind[0] != self._end.numbers[0]:
            return None
        return self._remember(self.sent, commands[-1], events[-1])

    def _require_unchanged(self) -> None:
        # What is not written, the statement cannot tell to be of today.
        end = end_of(self._all(HEAD_AND_TIP), self.schema)
        self._look_up()
        if end != self._end or any(self._among.values()):
            raise Overtaken("another has written since this process did")

    def _remember(self, sent: Sent, command: Row, event: Row) -> End:
        """Know what was written here, right behind all that was known."""
        assert self._remembered is not None
        stream, version, *_ = event
        at = max(self._end.numbers[2], command[10])
        tip = Tip(
            self._position, stream.encode(), version, self._command_id, command[6].encode(), at
        )
        self._remembered.grow(self._known, self._pending.news(sent), tip)
        return End((self._position, self._command_id, at), tip)

    def as_written(self, answer: Answered) -> Answered:
        """What was answered here with the positions that it has, once it is written."""
        return answer if self.sent is None else self.sent.answer(answer)
