"""What was asked of a server and how it went, as `os-instance-actions` tells it.

An action is a recorded command that a user of the Compute API can ask for; its steps are what the
log says of its way since. Names of actions and steps are Nova's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from serverdomain.domain import events as e
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

Result = Literal["Success", "Error"]


class Step(Struct, frozen=True):
    """One step of an action; times in microseconds since 1970 UTC, ``None`` while under way."""

    name: str
    started: int
    finished: int | None
    result: Result | None


class Action(Struct, frozen=True):
    """Something that was asked of a server: who, when, under which request id, and its steps.

    ``started`` is in microseconds since 1970 UTC; the latest step stands first.
    """

    name: str
    server_id: str
    request_id: str
    user_id: str
    project_id: str
    started: int
    steps: tuple[Step, ...]

    @property
    def failed(self) -> bool:
        """Whether a step of it ended in an error."""
        return any(step.result == "Error" for step in self.steps)


class _End(Struct, frozen=True):
    """How something under way came to its end."""

    at: int
    result: Result
    stage: e.Stage = "hypervisor"


def actions(recorded: Sequence[RecordedEvent]) -> list[Action]:
    """The actions that a server's history tells, given in order of occurrence, newest first."""
    ends = _ends(recorded)
    commands = {one.command.command_id: one.command for one in recorded if not one.is_refusal}
    return [
        Action(
            ACTIONS[command.kind],
            command.server_id,
            command.request_id,
            command.user_id,
            command.project_id,
            command.occurred_at,
            _steps(command, ends.get(command.request_id)),
        )
        for command in reversed(commands.values())
        if command.kind in ACTIONS
    ]


def _ends(recorded: Sequence[RecordedEvent]) -> dict[str, _End]:
    """How each build and rebuild ended, by the request id of the command that asked for it."""
    ends: dict[str, _End] = {}
    server: Server | None = None
    building: str | None = None
    for one in recorded:
        event, at = one.event, one.occurred_at
        after = evolve(server, event, at)
        _, ended, how = turn(server, event, after)
        if ended is not None:
            stage = event.stage if isinstance(event, e.RebuildFailed) else "hypervisor"
            ends[ended] = _End(at, "Success" if how == "completed" else "Error", stage)
        if one.command.kind == "create":
            building = one.command.request_id
        elif building is not None and after is not None and after.state != "BUILD":
            ends[building] = _End(at, "Success" if isinstance(event, e.ServerBuilt) else "Error")
            building = None
        server = after
    return ends


def _steps(command: RecordedCommand, end: _End | None) -> tuple[Step, ...]:
    at = command.occurred_at
    finished, result = (end.at, end.result) if end is not None else (None, None)
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
