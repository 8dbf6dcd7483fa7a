"""The way of a command into the log: looked up, decided and written as one. It knows no engine.

The lookup comes first, so that a retry gets its first outcome whatever has happened since; then the
version that the caller saw, the time, and the decision itself. What a rule refuses is kept, too.
"""

from __future__ import annotations

from typing import Any

import msgspec

from serverdomain.domain import moment
from serverdomain.domain.commands import Command, RecordFacts
from serverdomain.domain.decisions import decide, require_project
from serverdomain.domain.history import Fact
from serverdomain.domain.server import Server, is_there
from serverdomain.errors import (
    Conflict,
    NotFound,
    Refused,
)
from serverdomain.store import refusals
from serverdomain.store.codec import CODEC
from serverdomain.store.log import Writing
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.repeated import require_same
from serverdomain.store.request import Outcome, Request

MOST_AHEAD = 5 * 60 * 1_000_000
"""How far ahead of the clock a time may lie, in microseconds: clocks differ."""

_canonical = msgspec.json.Encoder(order="sorted").encode


def accept(log: Writing, request: Request) -> Outcome | Refused | RecordedCommand:
    """Record what was asked, unless a command is recorded under its request id: that is given back.

    A refusal that the log is to keep is given back, for what was written to be committed. One of a
    beginning is raised, as is whatever else the decision raises: nothing is written then.
    """
    command, context = request.command, request.context
    members = members_of(command, request.occurred_at)
    decided = command.to(request.server_id)
    given = command.own_time if request.occurred_at is None else request.occurred_at
    first = log.command(context.request_id)
    if not request.answered and _asks_nothing(request):
        return _take_in(log, request, members, first)
    if first is not None:
        return first
    history = log.so_far(request.server_id)
    latest, server = history.latest, history.server
    if command.may_be_late and given is not None and latest is not None and given < latest:
        history = log.history(request.server_id)  # A late fact has its place among all others.
    if not is_there(server) and not (command.begins or command.may_be_late):
        raise NotFound(f"server {request.server_id} is not there")
    _require_version(request, server, history.version)
    occurred_at = _occurred_at(request, given, latest)
    recorded = _recorded(request, members, occurred_at, log.latest_recorded_at())
    require_project(server, request.project_id)
    try:
        events = decide(server, decided, context.actor, context.request_id)
    except Refused as refused:
        refused.version = history.version
        if command.begins or not log.keeps_refusals:  # What begins has no server to keep it with.
            raise
        return _keep(log, recorded, refused, request.now)
    if not events:
        return Outcome(server=server, events=(), position=None, replayed=False)
    positions = log.append(recorded, history.version, events)
    for version, (position, event) in enumerate(
        zip(positions, events, strict=True), start=history.version + 1
    ):
        history.take(Fact(occurred_at, position, request.server_id, version, event))
    return Outcome(server=history.server, events=events, position=positions[-1], replayed=False)


def _asks_nothing(request: Request) -> bool:
    """Whether these are facts of which no rule and nobody asks what they lead to."""
    return (
        isinstance(request.command, RecordFacts)
        and request.occurred_at is not None
        and request.expected_version is None
        and request.project_id is None
    )


def _take_in(
    log: Writing, request: Request, members: str, first: RecordedCommand | None
) -> Outcome:
    """Append facts behind the others of their server, of which none is read."""
    assert isinstance(request.command, RecordFacts)
    if first is not None:
        require_same(first, request, members)
        return Outcome(server=None, events=(), position=None, replayed=True)
    occurred_at = _occurred_at(request, request.occurred_at, None)
    recorded = _recorded(request, members, occurred_at, log.latest_recorded_at())
    events = request.command.events
    positions = log.append(recorded, log.version(request.server_id), events)
    return Outcome(server=None, events=events, position=positions[-1], replayed=False)


def _recorded(
    request: Request, members: str, occurred_at: int, latest_recorded_at: int | None
) -> RecordedCommand:
    context, now = request.context, request.now
    return RecordedCommand(
        command_id=0,
        kind=request.command.kind,
        server_id=request.server_id,
        members=members,
        user_id=context.actor.user_id,
        project_id=context.actor.project_id,
        roles=context.actor.roles,
        request_id=context.request_id,
        correlation_id=context.correlation_id,
        caused_by=context.caused_by,
        occurred_at=occurred_at,
        recorded_at=now if latest_recorded_at is None else max(now, latest_recorded_at),
    )


def _keep(log: Writing, command: RecordedCommand, refused: Refused, now: int) -> Refused:
    refusals.keep(log, command, refused, now)
    return refused


def members_of(command: Command, occurred_at: int | None) -> str:
    """What was asked, as canonical JSON; a time that was given is part of it.

    Raises `InvalidInput` for facts that could not be read again.
    """
    members: dict[str, Any] = command.members()
    if isinstance(command, RecordFacts):
        members["sha256"] = CODEC.sha256(command.events)
    if occurred_at is not None:
        members["occurred_at"] = occurred_at
    return _canonical(members).decode()


def _require_version(request: Request, server: Server | None, version: int) -> None:
    expected = request.expected_version
    if expected is not None and expected != version:
        met = server.status if is_there(server) else "not there"
        raise Conflict(
            f"server {request.server_id} is {met} at version {version}, "
            f"version {expected} was expected"
        )
    if request.command.begins and version and server is None:
        raise Conflict(
            f"server {request.server_id} is in the log already, with {version} events but "
            "no beginning"
        )


def require_not_ahead(occurred_at: int, now: int) -> None:
    """Raise `Refused` for a time that lies further ahead of the clock than clocks differ."""
    if occurred_at > now + MOST_AHEAD:
        raise Refused(
            "time",
            f"occurred_at: {moment.exact(occurred_at)} came, at most five minutes ahead of the "
            f"clock ({moment.exact(now)}) is allowed",
        )


def _occurred_at(request: Request, given: int | None, latest: int | None) -> int:
    command = request.command
    if given is None:
        return request.now if latest is None else max(request.now, latest)
    require_not_ahead(given, request.now)
    # That a server is there already is better said by the rule than by a time.
    if latest is not None and given < latest and not (command.may_be_late or command.begins):
        raise Conflict(
            f"occurred_at: {moment.exact(given)} lies before the latest fact of server "
            f"{request.server_id}, which occurred at {moment.exact(latest)}"
        )
    return given
