"""The lives of a fleet, written into a log in order of time, many commands a transaction.

The servers are held in memory, so that a decision reads nothing. Only after a late fact the log is
asked for the server's history.
"""

from __future__ import annotations

import gc
from heapq import heappop, heappush
from random import Random

from msgspec import Struct

from serverdomain.domain import commands as c
from serverdomain.domain.decisions import decide
from serverdomain.domain.events import Event
from serverdomain.domain.history import Fact, History
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.server import Server
from serverdomain.errors import Conflict, InvalidInput, Refused
from serverdomain.simulation.fleet.life import Answer, Ask, Asking, Life
from serverdomain.simulation.fleet.surroundings import BEGINS, ENDS, Surroundings
from serverdomain.store import refusals
from serverdomain.store.accept import members_of
from serverdomain.store.log import Log, Writing
from serverdomain.store.recorded import RecordedCommand

MOST = 1_000_000
"""The most servers that may be asked for: more were never tried."""

_BATCH = 20_000


class Generated(Struct, frozen=True):
    """How many servers, commands and events were made."""

    servers: int
    commands: int
    events: int


def generate(log: Log, servers: int, seed: int, progress: Progress = silent) -> Generated:
    """Fill an empty log with three years of a fleet of so many servers.

    ``progress`` is told how much of the made-up time is over, and how much there is, in
    microseconds.

    Raises `InvalidInput` unless there are 1 to a million servers, `Conflict` unless the log is
    empty.
    """
    require_number(servers)
    # Nearly all objects stay alive; looking for cycles among them took a seventh of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _Generation(log, servers, Random(seed)).run(progress)
    finally:
        if collecting:
            gc.enable()


def require_number(servers: int) -> None:
    """Raise `InvalidInput` unless so many servers may be asked for."""
    if not 1 <= servers <= MOST:
        raise InvalidInput("servers", f"{servers} came, 1 to {MOST} are allowed")


class _Generation:
    def __init__(self, log: Log, servers: int, chance: Random) -> None:
        self._log = log
        self._chance = chance
        self._servers: dict[str, Server] = {}
        self._batch: list[tuple[RecordedCommand, int, tuple[Event, ...]]] = []
        self._commands = self._events = 0
        surroundings = Surroundings(servers, chance)
        # The number orders two commands of one time: nothing behind it is compared.
        self._waiting: list[tuple[int, int, Ask, Life, Asking]] = []
        for number in range(servers):
            life = Life(surroundings, chance)
            asking = life.asks()
            self._wait(number, next(asking, None), life, asking)

    def run(self, progress: Progress) -> Generated:
        total = len(self._waiting)
        while self._waiting:
            with self._log.bulk() as log:
                if not self._servers:
                    _require_empty(log)
                reached = self._fill(log)
            progress(reached - BEGINS, ENDS - BEGINS)
        progress(ENDS - BEGINS, ENDS - BEGINS)
        return Generated(total, self._commands, self._events)

    def _fill(self, log: Writing) -> int:
        at, full = BEGINS, self._events + _BATCH
        while self._waiting and self._events < full:
            at, number, ask, life, asking = heappop(self._waiting)
            answer = self._ask(log, life.server_id, ask)
            try:
                following = asking.send(answer)
            except StopIteration:
                continue
            self._wait(number, following, life, asking)
        self._flush(log)
        return at

    def _wait(self, number: int, ask: Ask | None, life: Life, asking: Asking) -> None:
        if ask is not None and ask.at <= ENDS:
            heappush(self._waiting, (ask.at, number, ask, life, asking))

    def _ask(self, log: Writing, server_id: str, ask: Ask) -> Answer:
        server = self._servers.get(server_id)
        what = ask.what
        command = what if isinstance(what, c.Command) else c.RecordFacts(events=what)
        row = self._row(server_id, command, ask)
        try:
            events = decide(server, command.to(server_id), ask.who, row.request_id)
        except Refused as refused:
            # Kept whatever the setting says: the same seed gives the same log.
            self._flush(log)
            if refusals.keep(log, row, refused, row.recorded_at):
                self._count(1)
            return Answer(server, row.request_id, True)
        if events:
            server = self._take(log, server, row, events)
        return Answer(server, row.request_id, False)

    def _row(self, server_id: str, command: c.Command, ask: Ask) -> RecordedCommand:
        occurred_at = command.own_time if ask.occurred_at is None else ask.occurred_at
        return RecordedCommand(
            command_id=0,
            kind=command.kind,
            server_id=server_id,
            members=members_of(command, ask.occurred_at),
            user_id=ask.who.user_id,
            project_id=ask.who.project_id,
            roles=ask.who.roles,
            request_id=self._request_id(ask.at),
            correlation_id=ask.correlation_id,
            caused_by=ask.caused_by,
            occurred_at=ask.at if occurred_at is None else occurred_at,
            recorded_at=ask.at,
        )

    def _take(
        self,
        log: Writing,
        server: Server | None,
        row: RecordedCommand,
        events: tuple[Event, ...],
    ) -> Server:
        history = History(base=server)
        self._batch.append((row, history.version, events))
        self._count(len(events))
        for event in events:
            version = history.version + 1
            history.take(Fact(row.occurred_at, 0, row.server_id, version, event))
        if history.lacks_past:
            self._flush(log)
            history = log.history(row.server_id)
        after = history.server
        assert after is not None
        self._servers[row.server_id] = after
        return after

    def _flush(self, log: Writing) -> None:
        log.append_many(self._batch)
        self._batch.clear()

    def _count(self, events: int) -> None:
        self._commands += 1
        self._events += events

    def _request_id(self, at: int) -> str:
        # A UUID that begins with its time (version 7), so that the index grows at its end.
        chance = self._chance.getrandbits(74)
        time, more, rest = at // 1000, chance >> 62, 2 << 62 | chance & (1 << 62) - 1
        tail = f"{rest:x}"
        return f"req-{time >> 16:08x}-{time & 0xFFFF:04x}-7{more:03x}-{tail[:4]}-{tail[4:]}"


def _require_empty(log: Writing) -> None:
    head = log.head()
    if head or log.latest_recorded_at() is not None:
        raise Conflict(f"the log holds {head} events, an empty one is allowed")
