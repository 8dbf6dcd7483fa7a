"""Lives told into a log, in order of time, many commands a transaction.

The servers are held in memory as they are, so that nothing is read to decide. What a late fact
makes of a server is asked of the log, where its history is.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from sqlite3 import Connection
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from serverdomain.domain import commands as c
from serverdomain.domain.decisions import decide
from serverdomain.domain.events import Event
from serverdomain.domain.server import Server, evolve
from serverdomain.errors import Conflict, InvalidInput, Refused
from serverdomain.simulation.fleet.cloud import BEGINS, ENDS, Cloud
from serverdomain.simulation.fleet.life import Ask, Asking, Came, Life
from serverdomain.store import queries, refusals
from serverdomain.store.codec import CODEC
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.sqlite import SQLiteStore

Progress = Callable[[int, int], None]
"""Told how much of the made-up time is over, and how much there is, in microseconds."""

MOST = 1_000_000
"""Servers that may be asked for: more were never tried."""

_BATCH = 20_000
# A batch touches pages all over the indexes by server; SQLite keeps 2 MiB of them by itself.
_CACHE_KIB = 262_144

_canonical = msgspec.json.Encoder(order="sorted").encode


class Generated(Struct, frozen=True):
    """How much was made."""

    servers: int
    commands: int
    events: int


def silent(_: int, __: int) -> None:
    """Nobody is told."""


def generate(store: SQLiteStore, servers: int, seed: int, progress: Progress = silent) -> Generated:
    """Fill an empty log with three years of a fleet of so many servers.

    Raises `InvalidInput` for another number of servers than 1 to a million, `Conflict` where the
    log is not empty.
    """
    checked(servers)
    # Looking for cycles among what is alive, which is nearly all, took a seventh of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _Generation(store, servers, Random(seed)).run(progress)
    finally:
        if collecting:
            gc.enable()


def checked(servers: int) -> int:
    """A number of servers that may be asked for. Raises `InvalidInput` for another."""
    if not 1 <= servers <= MOST:
        raise InvalidInput("servers", f"{servers} came, 1 to {MOST} are allowed")
    return servers


class _Generation:
    def __init__(self, store: SQLiteStore, servers: int, chance: Random) -> None:
        self._store = store
        self._chance = chance
        self._servers: dict[str, Server] = {}
        self._batch: list[tuple[RecordedCommand, int, tuple[Event, ...]]] = []
        self._batched = self._commands = self._events = 0
        cloud = Cloud(servers, chance)
        # The number makes the order of two that ask at one time the same, whatever they ask.
        self._waiting: list[tuple[int, int, Ask, Life, Asking]] = []
        for number in range(servers):
            life = Life(cloud, chance)
            asking = life.asks()
            self._wait(number, next(asking, None), life, asking)

    def run(self, progress: Progress) -> Generated:
        connections = self._store.connections
        total = len(self._waiting)
        first = True
        while self._waiting:
            with connections.writing() as connection:
                connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                if first:
                    _ask_empty(connection)
                first = False
                reached = self._fill(connection)
            progress(reached - BEGINS, ENDS - BEGINS)
        self._store.appended()
        progress(ENDS - BEGINS, ENDS - BEGINS)
        return Generated(total, self._commands, self._events)

    def _fill(self, connection: Connection) -> int:
        at = BEGINS
        self._batched = 0
        while self._waiting and self._batched < _BATCH:
            at, number, ask, life, asking = heappop(self._waiting)
            came = self._ask(connection, life.server_id, ask)
            try:
                following = asking.send(came)
            except StopIteration:
                continue
            self._wait(number, following, life, asking)
        self._flush(connection)
        return at

    def _wait(self, number: int, ask: Ask | None, life: Life, asking: Asking) -> None:
        if ask is not None and ask.at <= ENDS:
            heappush(self._waiting, (ask.at, number, ask, life, asking))

    def _ask(self, connection: Connection, server_id: str, ask: Ask) -> Came:
        server = self._servers.get(server_id)
        row = self._row(server_id, ask)
        if isinstance(ask.what, tuple):
            return Came(self._take(connection, server, row, ask.what), row.request_id, False)
        command = ask.what
        if isinstance(command, c.CreateServer):
            command = replace(command, server_id=server_id)
        try:
            events = decide(server, command, ask.who, row.request_id)
        except Refused as refused:
            # Whether others keep refusals or not: the same seed gives the same log.
            self._flush(connection)
            if refusals.keep(connection, row, refused):
                self._commands += 1
                self._events += 1
            return Came(server, row.request_id, True)
        if events:
            server = self._take(connection, server, row, events)
        return Came(server, row.request_id, False)

    def _row(self, server_id: str, ask: Ask) -> RecordedCommand:
        occurred_at = ask.occurred_at
        members: dict[str, Any]
        if isinstance(ask.what, tuple):
            kind, members = "record", {"sha256": CODEC.sha256(ask.what)}
        else:
            kind, members = ask.what.kind, ask.what.members()
        if occurred_at is not None:
            members["occurred_at"] = occurred_at
        elif isinstance(ask.what, c.RegisterServer):
            occurred_at = ask.what.updated
        else:
            occurred_at = ask.at
        return RecordedCommand(
            command_id=0,
            kind=kind,
            server_id=server_id,
            members=_canonical(members).decode(),
            user_id=ask.who.user_id,
            project_id=ask.who.project_id,
            roles=ask.who.roles,
            request_id=self._request_id(ask.at),
            correlation_id=ask.correlation_id,
            caused_by=ask.caused_by,
            occurred_at=occurred_at,
            recorded_at=ask.at,
        )

    def _take(
        self,
        connection: Connection,
        server: Server | None,
        row: RecordedCommand,
        events: tuple[Event, ...],
    ) -> Server:
        version = 0 if server is None else server.version
        self._batch.append((row, version, events))
        self._batched += len(events)
        if server is not None and row.occurred_at < server.updated:
            self._flush(connection)
            after = queries.stream(connection, row.server_id).server
        else:
            after = server
            for event in events:
                after = evolve(after, event, row.occurred_at)
            after = after and replace(after, version=version + len(events))
        assert after is not None
        self._servers[row.server_id] = after
        return after

    def _flush(self, connection: Connection) -> None:
        queries.insert_many(connection, self._batch)
        self._commands += len(self._batch)
        self._events += sum(len(events) for _, _, events in self._batch)
        self._batch.clear()

    def _request_id(self, at: int) -> str:
        # A UUID that begins with its time (version 7): the index by request grows at its end.
        chance = self._chance.getrandbits(74)
        time, more, rest = at // 1000, chance >> 62, 2 << 62 | chance & (1 << 62) - 1
        tail = f"{rest:x}"
        return f"req-{time >> 16:08x}-{time & 0xFFFF:04x}-7{more:03x}-{tail[:4]}-{tail[4:]}"


def _ask_empty(connection: Connection) -> None:
    head = queries.head(connection)
    if head or queries.latest_recorded_at(connection) is not None:
        raise Conflict(f"the log holds {head} events, an empty one is allowed")
