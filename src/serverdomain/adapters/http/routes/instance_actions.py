"""`os-instance-actions`: what was asked of a server and how it went, from the log.

An action is a recorded command that a user of the Compute API can ask for; its events are what the
log says of its way since. Names of actions and of their events are Nova's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from starlette.responses import Response

from serverdomain.adapters.http.calls.answers import answer
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.lifecycle import turn
from serverdomain.domain.limits import shown
from serverdomain.domain.server import Server, evolve
from serverdomain.errors import NotFound
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


class ActionEvent(NamedTuple):
    """A step of an action; times in microseconds since 1970 UTC, ``None`` while it is under way."""

    name: str
    started: int
    finished: int | None
    result: Result | None

    def as_json(self) -> dict[str, Any]:
        """The event as Nova shows it; its traceback is never shown."""
        return {
            "event": self.name,
            "start_time": _time(self.started),
            "finish_time": None if self.finished is None else _time(self.finished),
            "result": self.result,
            "traceback": None,
        }


class End(NamedTuple):
    """How a build or a rebuild ended, and when, in microseconds since 1970 UTC."""

    at: int
    result: Result
    stage: e.Stage = "hypervisor"


def index(cloud: Cloud, call: Call) -> Response:
    """All of a server's actions, newest first."""
    recorded = _recorded(cloud, call)
    found = ends(recorded)
    return answer({"instanceActions": [_action(command, found) for command in _commands(recorded)]})


def show(cloud: Cloud, call: Call) -> Response:
    """One action, by the request id of the call that asked, with its events, to every caller."""
    recorded = _recorded(cloud, call)
    found = ends(recorded)
    for command in _commands(recorded):
        if command.request_id == call.item:
            events = [event.as_json() for event in _events(command, found)]
            return answer({"instanceAction": {**_action(command, found), "events": events}})
    raise NotFound(f"server {call.server_id} has no action {shown(call.item)}")


def ends(recorded: Iterable[RecordedEvent]) -> dict[str, End]:
    """How a server's build and its rebuilds ended, from its events in order of occurrence.

    The key of a rebuild is its id, that of a build the request id of its create.
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
            found[ended] = End(at, "Success" if how == "completed" else "Error", stage)
        server = after
    return found


def _recorded(cloud: Cloud, call: Call) -> list[RecordedEvent]:
    assert call.server_id is not None
    cloud.servers.get(call.server_id, project_id=call.within)
    recorded = (entry.recorded for entry in cloud.servers.history(call.server_id))
    return [one for one in recorded if not one.is_refusal]


def _commands(recorded: Iterable[RecordedEvent]) -> list[RecordedCommand]:
    """The commands that are actions, newest first."""
    commands = {one.command.command_id: one.command for one in recorded}
    return [command for command in reversed(commands.values()) if command.kind in ACTIONS]


def _action(command: RecordedCommand, found: dict[str, End]) -> dict[str, Any]:
    failed = any(event.result == "Error" for event in _events(command, found))
    return {
        "action": ACTIONS[command.kind],
        "instance_uuid": command.server_id,
        "request_id": command.request_id,
        "user_id": command.user_id,
        "project_id": command.project_id,
        "start_time": _time(command.occurred_at),
        "message": "Error" if failed else None,
    }


def _events(command: RecordedCommand, found: dict[str, End]) -> list[ActionEvent]:
    """The events of an action, the latest first."""
    at, end = command.occurred_at, found.get(command.request_id)
    finished, result = (None, None) if end is None else (end.at, end.result)
    if command.kind == "create":
        return [ActionEvent("compute__do_build_and_run_instance", at, finished, result)]
    if command.kind == "rebuild":
        if end is not None and end.stage == "scheduling":
            return [ActionEvent("rebuild_server", at, finished, result)]
        return [
            ActionEvent("compute_rebuild_instance", at, finished, result),
            ActionEvent("rebuild_server", at, at, "Success"),
        ]
    if command.kind in _AT_ONCE:
        return [ActionEvent(_AT_ONCE[command.kind], at, at, "Success")]
    return []


def _time(micros: int) -> str:
    return moment.exact(micros).removesuffix("Z")
