"""A command whose request id is in the log already: the same one gets its first outcome.

It needs no lock. ``members`` are what is asked, as the log would keep them.
"""

from __future__ import annotations

from serverdomain.domain import moment
from serverdomain.errors import RequestIdTaken, StoreDamaged
from serverdomain.store.log import Reading
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.request import Outcome, Request


def first_outcome(log: Reading, first: RecordedCommand, request: Request, members: str) -> Outcome:
    """The outcome that a command had when it was first recorded, for one under its request id.

    Raises `RequestIdTaken` where that asks something else.
    """
    recorded = log.events_of(first)
    if not recorded:
        raise StoreDamaged(f"{first.kind} under request id {first.request_id} has lost its events")
    last = recorded[-1].position
    server = log.so_far(first.server_id, last).server
    if server is not None and request.project_id not in (None, server.project_id):
        # Two projects and two keys may spell one id: nothing of the other's is told.
        raise RequestIdTaken(_taken(first))
    require_same(first, request, members)
    events = tuple(one.event for one in recorded)
    return Outcome(server=server, events=events, position=last, replayed=True)


def require_same(first: RecordedCommand, request: Request, members: str) -> None:
    """Raise `RequestIdTaken` if a request asks something else than what bears its request id."""
    same_server = request.command.generates_id or first.server_id == request.server_id
    if first.kind != request.command.kind or first.members != members or not same_server:
        raise RequestIdTaken(
            f"{_taken(first)}: {first.kind} of server {first.server_id}, recorded at "
            f"{moment.exact(first.recorded_at)}; each command needs an id of its own, as each new "
            "Context has"
        )


def _taken(first: RecordedCommand) -> str:
    return f"request id {first.request_id} is taken by another command"
