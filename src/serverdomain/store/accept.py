"""The way of a command into the log: looked up, decided and written in one transaction.

The lookup comes first, so that a retry gets its first outcome whatever has happened since; then the
version that the caller saw, the time, and the decision itself. What a rule refuses is kept, too.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from serverdomain.domain import moment
from serverdomain.domain.events import Event
from serverdomain.domain.server import Server
from serverdomain.errors import Conflict, NotFound, OutcomeUnknown, Refused, RequestIdTaken
from serverdomain.store import queries, refusals
from serverdomain.store.context import Context
from serverdomain.store.recorded import Fact, RecordedCommand, Stream
from serverdomain.store.sqlite import SQLiteStore

MOST_AHEAD = 5 * 60 * 1_000_000
"""How far ahead of the clock a time may lie, in microseconds: clocks differ."""

_log = logging.getLogger("serverdomain")

_canonical = msgspec.json.Encoder(order="sorted").encode


class Request(Struct, frozen=True, kw_only=True):
    """Something asked of the log.

    ``decide`` turns the server as it is into events. ``occurred_at`` is the time that was given, if
    any, ``now`` the clock; ``begins`` marks what only an id new to the log may have; ``late`` that
    its facts may take a place before the latest. ``generated_id`` is true where the caller named no
    server. ``project_id`` is the project that the server of a retry must be of; else ``decide``
    asks for it.
    """

    server_id: str
    kind: str
    members: dict[str, Any]
    decide: Callable[[Server | None], Sequence[Event]]
    context: Context
    now: int
    occurred_at: int | None = None
    expected_version: int | None = None
    project_id: str | None = None
    generated_id: bool = False
    begins: bool = False
    late: bool = False


class Outcome(Struct, frozen=True, kw_only=True):
    """The server after a command, the command's events, and the position of the last of them."""

    server: Server | None
    events: tuple[Event, ...]
    position: int | None
    replayed: bool


def ask(store: SQLiteStore, request: Request) -> Outcome:
    """`accept` a command in a transaction of its own; what was refused is raised behind it.

    Raises `OutcomeUnknown` where the commit failed, and what `accept` raises.
    """
    outcome: Outcome | Refused | None = None

    def attempt(connection: sqlite3.Connection) -> Outcome | Refused:
        nonlocal outcome
        outcome = accept(store, connection, request)
        return outcome

    try:
        given = store.transact(request.context.request_id, attempt)
    except OutcomeUnknown as unknown:
        # Whether it was recorded is unknown, but not that it was refused.
        if not isinstance(outcome, Refused):
            raise
        _log.warning("a refusal may not be recorded: %s", unknown)
        given = outcome
    if isinstance(given, Refused):
        raise given
    return given


def accept(
    store: SQLiteStore, connection: sqlite3.Connection, request: Request
) -> Outcome | Refused:
    """Record what was asked, or give back the outcome that it had the first time.

    A refusal that the log is to keep is given back, for the transaction to be committed. One of a
    beginning is raised, as are `Conflict`, `RequestIdTaken` and whatever else ``request.decide``
    raises: nothing is written then.
    """
    members = _canonical(request.members).decode()
    first = queries.command(connection, request.context.request_id)
    if first is not None:
        return _first_outcome(connection, first, request, members)
    stream = queries.stream(connection, request.server_id)
    server = stream.server
    if (server is None or server.deleted) and not (request.begins or request.late):
        raise NotFound(f"server {request.server_id} is not there")
    _ask_version(request, stream)
    occurred_at = _occurred_at(request, stream)
    try:
        events = tuple(request.decide(server))
    except Refused as refused:
        # One that begins has no server to be remembered with.
        if request.begins or not store.keeps_refusals:
            raise
        return _keep(connection, _recorded(connection, request, members, occurred_at), refused)
    if not events:
        return Outcome(server=server, events=(), position=None, replayed=False)
    command = _recorded(connection, request, members, occurred_at)
    positions = store.append(connection, command, stream.version, events)
    facts = [Fact(occurred_at, *placed) for placed in zip(positions, events, strict=True)]
    if stream.latest is None or occurred_at >= stream.latest:
        server = Stream.then(server, facts, stream.version + len(facts))
    else:
        server = stream.with_facts(facts).server
    return Outcome(server=server, events=events, position=positions[-1], replayed=False)


def _recorded(
    connection: sqlite3.Connection, request: Request, members: str, occurred_at: int
) -> RecordedCommand:
    context = request.context
    latest = queries.latest_recorded_at(connection)
    return RecordedCommand(
        command_id=0,
        kind=request.kind,
        server_id=request.server_id,
        members=members,
        user_id=context.actor.user_id,
        project_id=context.actor.project_id,
        roles=context.actor.roles,
        request_id=context.request_id,
        correlation_id=context.correlation_id,
        caused_by=context.caused_by,
        occurred_at=occurred_at,
        recorded_at=request.now if latest is None else max(request.now, latest),
    )


def _keep(connection: sqlite3.Connection, command: RecordedCommand, refused: Refused) -> Refused:
    try:
        refusals.keep(connection, command, refused)
    except sqlite3.Error as error:
        # It is refused all the same, whatever the disk says.
        _log.warning("a refusal was not recorded: %s", error)
        raise refused from error
    return refused


def _first_outcome(
    connection: sqlite3.Connection, first: RecordedCommand, request: Request, members: str
) -> Outcome:
    taken = f"request id {first.request_id} is taken by another command"
    events = queries.events_of(connection, first.command_id)
    last = events[-1].position
    server = queries.stream(connection, first.server_id, last).server
    if server is not None and request.project_id not in (None, server.project_id):
        # Two projects and two keys may spell one id: nothing of the other's is told.
        raise RequestIdTaken(taken)
    same_server = request.generated_id or first.server_id == request.server_id
    if first.kind != request.kind or first.members != members or not same_server:
        raise RequestIdTaken(
            f"{taken}: {first.kind} of server {first.server_id}, recorded at "
            f"{moment.exact(first.recorded_at)}"
        )
    return Outcome(
        server=server,
        events=tuple(recorded.event for recorded in events),
        position=last,
        replayed=True,
    )


def _ask_version(request: Request, stream: Stream) -> None:
    server = stream.server
    met = "not there" if server is None or server.deleted else server.status
    if request.expected_version is not None and request.expected_version != stream.version:
        raise Conflict(
            f"server {request.server_id} is {met} at version {stream.version}, "
            f"version {request.expected_version} was expected"
        )
    if request.begins and stream.version and server is None:
        raise Conflict(
            f"server {request.server_id} is in the log already, with {stream.version} events but "
            "no beginning"
        )


def _occurred_at(request: Request, stream: Stream) -> int:
    given, latest = request.occurred_at, stream.latest
    if given is None:
        return request.now if latest is None else max(request.now, latest)
    if given > request.now + MOST_AHEAD:
        raise Refused(
            "time",
            f"occurred_at: {moment.exact(given)} came, at most five minutes ahead of the clock "
            f"({moment.exact(request.now)}) is allowed",
        )
    # That a server is there already is better said by the rule than by a time.
    if latest is not None and given < latest and not (request.late or request.begins):
        raise Conflict(
            f"occurred_at: {moment.exact(given)} lies before the latest fact of server "
            f"{request.server_id}, which occurred at {moment.exact(latest)}"
        )
    return given
