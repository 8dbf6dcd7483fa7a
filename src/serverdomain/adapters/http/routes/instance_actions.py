"""`os-instance-actions`: what was asked of a server and how it went, as Nova shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.responses import Response

from serverdomain.adapters.http.calls.answers import answer
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.audit.actions import Action, Step
from serverdomain.domain import moment
from serverdomain.domain.limits import shown
from serverdomain.errors import NotFound


def index(cloud: Cloud, call: Call) -> Response:
    """All of a server's actions, newest first."""
    return answer({"instanceActions": [_action(one) for one in _actions(cloud, call)]})


def show(cloud: Cloud, call: Call) -> Response:
    """One action, by the request id of the call that asked, with its events, to every caller."""
    for one in _actions(cloud, call):
        if one.request_id == call.item:
            events = [_event(step) for step in one.steps]
            return answer({"instanceAction": {**_action(one), "events": events}})
    raise NotFound(f"server {call.server_id} has no action {shown(call.item)}")


def _actions(cloud: Cloud, call: Call) -> list[Action]:
    assert call.server_id is not None
    return cloud.servers.actions(call.server_id, project_id=call.within)


def _action(one: Action) -> dict[str, Any]:
    return {
        "action": one.name,
        "instance_uuid": one.server_id,
        "request_id": one.request_id,
        "user_id": one.user_id,
        "project_id": one.project_id,
        "start_time": _time(one.started),
        "message": "Error" if one.failed else None,
    }


def _event(step: Step) -> dict[str, Any]:
    # A traceback is never shown.
    return {
        "event": step.name,
        "start_time": _time(step.started),
        "finish_time": None if step.finished is None else _time(step.finished),
        "result": step.result,
        "traceback": None,
    }


def _time(at: datetime) -> str:
    return moment.exact(moment.to_micros(at)).removesuffix("Z")
