"""`os-instance-actions`: what was asked of a server, from the log, in Nova's shape."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from serverdomain.adapters.http.answers import answer
from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.cloud import Cloud
from serverdomain.audit.actions import Action, actions
from serverdomain.domain import moment
from serverdomain.domain.limits import shown
from serverdomain.errors import NotFound


def index(cloud: Cloud, call: Call) -> Response:
    """All of a server's actions, newest first."""
    return answer({"instanceActions": [_shown(action, call) for action in _there(cloud, call)]})


def show(cloud: Cloud, call: Call) -> Response:
    """One action, by the request id of the call that asked, with its events, to every caller."""
    for action in _there(cloud, call):
        if action.request_id == call.item:
            steps = [
                {
                    "event": step.name,
                    "start_time": _time(step.started),
                    "finish_time": None if step.finished is None else _time(step.finished),
                    "result": step.result,
                    "traceback": None,
                }
                for step in action.steps
            ]
            return answer({"instanceAction": {**_shown(action, call), "events": steps}})
    raise NotFound(f"server {call.server_id} has no action {shown(call.item)}")


def _there(cloud: Cloud, call: Call) -> list[Action]:
    assert call.server_id is not None
    cloud.servers.get(call.server_id, project_id=call.within)
    return actions([entry.recorded for entry in cloud.servers.history(call.server_id)])


def _shown(action: Action, call: Call) -> dict[str, Any]:
    return {
        "action": action.name,
        "instance_uuid": action.server_id,
        "request_id": action.request_id,
        "user_id": action.user_id,
        "project_id": action.project_id,
        "start_time": _time(action.started),
        "message": "Error" if action.failed else None,
    }


def _time(micros: int) -> str:
    return moment.exact(micros).removesuffix("Z")
