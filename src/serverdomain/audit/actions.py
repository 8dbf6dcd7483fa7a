"""What was asked of a server and how it went, as Nova's `os-instance-actions` tells it.

An action is a recorded command that a user of the Compute API can ask for; its steps are what the
log says of its way since. Names of actions and steps are Nova's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct

from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.lifecycle import turn
from serverdomain.domain.server import Server, evolve
from serverdomain.store.recorded import RecordedCommand, RecordedEvent

ACTIONS = {
    "create": "create",
    "rebuild": "rebuild",
    "start": "start",
    "stop": "stop",
    "lock": "lock",
    "unlock": "unlock",
    "reset_state": "resetState",
}
"""The name of an action, by the kind of its command."""

_AT_ONCE = {
    "start": "compute_start_instance",
    "stop": "compute_stop_instance",
    "lock": "api_lock",
    "unlock": "api_unlock",
}

TOLD = (
    "ServerRegistered",
    "ServerObserved",
    "ServerBuilt",
    "RebuildRequested",
    "RebuildCompleted",
    "RebuildFailed",
    "ServerLocked",
    "ServerUnlocked",
    "ServerStopped",
    "ServerStarted",
    "StateReset",
    "ServerDeleted",
)
"""The facts that actions are told by; the others, metadata above all, need not be read."""

MOST_VERSIONS = 5_000
"""How many of a server's latest facts its actions are told by, besides the first."""

Result = Literal["Success", "Error"]


class Step(Struct, frozen=True):
    """A step of an action; times are aware datetimes.

    While it is under way, ``finished`` and ``result`` are ``None``.
    """

    name: str
    started: datetime
    finished: datetime | None
    result: Result | None


class Action(Struct, frozen=True):
    """Something that was asked of a server: who, when (aware), and under which request id.

    The latest of its ``steps``, which Nova calls its events, stands first.
    """

    name: str
    server_id: str
    request_id: str
    user_id: str
    project_id: str
    started: datetime
    steps: tuple[Step, ...]

    @property
    def failed(self) -> bool:
        """Whether one of its steps ended in an error."""
        return any(step.result == "Error" for step in self.steps)


class End(NamedTuple):
    """How a build or a rebuild ended, and when, in microseconds since 1970 UTC."""

    at: int
    result: Result
    stage: e.Stage = "hypervisor"


def actions(recorded: Sequence[RecordedEvent]) -> list[Action]:
    """A server's actions, newest first, from its facts in order of occurrence."""
    found = ends(recorded)
    commands = {one.command.command_id: one.command for one in recorded}
    return [
        _action(command, found.get(command.request_id))
        for command in reversed(commands.values())
        if command.kind in ACTIONS
    ]


def ends(recorded: Iterable[RecordedEvent]) -> dict[str, End]:
    """How a server's build and its rebuilds ended, from its facts in order of occurrence.

    The key of a rebuild is its id, that of a build the request id of its create. Of one that facts
    ask for again under its id, the first end is that of who commanded it.
    """
    found: dict[str, End] = {}
    create: str | None = None
    server: Server | None = None
    for one in recorded:
        event, at = one.event, one.occurred_at
        after = evolve(server, event, at)
        if one.command.kind == "create":
            create = one.command.request_id
        elif create is not None and isinstance(event, e.ServerBuilt | e.StateReset):
            found[create] = End(at, "Success" if isinstance(event, e.ServerBuilt) else "Error")
            create = None
        _, ended, how = turn(server, event, after)
        if ended is not None:
            stage = event.stage if isinstance(event, e.RebuildFailed) else "hypervisor"
            result: Result = "Success" if how == "completed" else "Error"
            found.setdefault(ended, End(at, result, stage))
        server = after
    return found


def _action(command: RecordedCommand, end: End | None) -> Action:
    return Action(
        name=ACTIONS[command.kind],
        server_id=command.server_id,
        request_id=command.request_id,
        user_id=command.user_id,
        project_id=command.project_id,
        started=moment.to_datetime(command.occurred_at),
        steps=_steps(command, end),
    )


def _steps(command: RecordedCommand, end: End | None) -> tuple[Step, ...]:
    at = moment.to_datetime(command.occurred_at)
    finished, result = (None, None) if end is None else (moment.to_datetime(end.at), end.result)
    if command.kind == "create":
        return (Step("compute__do_build_and_run_instance", at, finished, result),)
    if command.kind == "rebuild":
        if end is not None and end.stage == "scheduling":
            return (Step("rebuild_server", at, finished, result),)
        return (
            Step("compute_rebuild_instance", at, finished, result),
            Step("rebuild_server", at, at, "Success"),
        )
    if command.kind in _AT_ONCE:
        return (Step(_AT_ONCE[command.kind], at, at, "Success"),)
    return ()
