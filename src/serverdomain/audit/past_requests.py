"""The past requests for a server, as far as the log tells.

The log keeps a command's members as they were asked. The rest is read from the command's own
events: a generated id, whether a password was given, which rebuild a report was about, and that an
image was unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.domain.actor import Actor
from serverdomain.errors import InvalidInput, StoreDamaged
from serverdomain.store.recorded import RecordedCommand, RecordedEvent

_NOT_KEPT = "not kept"
_read_members = msgspec.json.Decoder(dict[str, Any]).decode


class PastRequest(Struct, frozen=True, kw_only=True):
    """A request in a server's history, or one that is only supposed.

    It led to ``events``, or to a ``refusal``; ``positions`` are theirs in the log. ``occurred_at``
    is in microseconds since 1970 UTC.
    """

    request_id: str
    kind: str
    actor: Actor
    occurred_at: int
    command: c.Command
    events: tuple[e.Event, ...] = ()
    refusal: e.CommandRefused | None = None
    positions: tuple[int, ...] = ()


def past_requests(recorded: Iterable[RecordedEvent]) -> list[PastRequest]:
    """The requests that led to a server's events, in the order of the log.

    Raises `StoreDamaged` where the log says of one what nobody can have asked.
    """
    in_order = sorted(recorded, key=lambda one: one.position)
    by_command = groupby(in_order, key=lambda one: one.command.command_id)
    return [_readable(list(events)) for _, events in by_command]


def command_of(kind: str, members: dict[str, Any]) -> c.Command | None:
    """The command of a kind with these members; ``None`` if members alone do not make that kind.

    Raises `InvalidInput` or `msgspec.ValidationError` for invalid members.
    """
    command = c.COMMANDS.get(kind)
    if command is None or command is c.RecordFacts:
        return None
    return msgspec.convert(members, command)


def _readable(recorded: list[RecordedEvent]) -> PastRequest:
    try:
        return _past_request(recorded)
    except (InvalidInput, msgspec.DecodeError, TypeError) as error:
        first = recorded[0]
        raise StoreDamaged(
            f"command {first.command.command_id}, whose events begin at position "
            f"{first.position}, cannot be read: {error}"
        ) from error


def _past_request(recorded: list[RecordedEvent]) -> PastRequest:
    row = recorded[0].command
    events = tuple(one.event for one in recorded)
    refusal = next((event for event in events if isinstance(event, e.CommandRefused)), None)
    return PastRequest(
        request_id=row.request_id,
        kind=row.kind,
        actor=Actor(row.user_id, row.project_id, row.roles),
        occurred_at=row.occurred_at,
        command=_command(row, events),
        events=() if refusal else events,
        refusal=refusal,
        positions=tuple(one.position for one in recorded),
    )


def _command(row: RecordedCommand, events: tuple[e.Event, ...]) -> c.Command:
    command = command_of(row.kind, _read_members(row.members))
    first = events[0]
    if command is None:
        # Recorded facts are taken as they are, and so are the events of an unknown, newer command.
        return c.RecordFacts(events=events)
    if isinstance(command, c.CreateServer):
        return replace(command, server_id=row.server_id)
    if isinstance(command, c.RebuildServer):
        if isinstance(first, e.RebuildRequested) and first.password == "given":
            return replace(command, admin_pass=_NOT_KEPT)
        if isinstance(first, e.CommandRefused) and first.rule == "image":
            return replace(command, image_known=False)
    if isinstance(command, c.ReportProgress | c.CompleteRebuild | c.FailRebuild) and isinstance(
        first, e.RebuildProgressed | e.RebuildCompleted | e.RebuildFailed
    ):
        return replace(command, rebuild_id=first.rebuild_id)
    return command
