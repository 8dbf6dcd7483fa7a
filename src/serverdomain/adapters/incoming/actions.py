"""Nova's instance actions: what was asked before the log began, by whom and how it ended.

An answer of `os-instance-actions` lists actions or shows one; both are read, wherever they stand in
what was saved. An action becomes one `CallReported`: Nova keeps no image, name or metadata of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from serverdomain.adapters.incoming.message import (
    PassedOver,
    Reported,
    actor,
    context,
    decoded,
    hash_of,
    utc,
)
from serverdomain.domain import events as e
from serverdomain.domain import limits
from serverdomain.errors import InvalidInput


class _Step(Struct):
    result: str | None = None


class _Action(Struct):
    action: str
    instance_uuid: str
    request_id: str
    start_time: str
    user_id: str | None = None
    project_id: str | None = None
    message: str | None = None
    events: list[_Step] | None = None


_read_any = msgspec.json.Decoder().decode


def read(raw: bytes) -> Iterator[Reported | PassedOver]:
    """The actions of an answer, each once; the one with steps, if it was both listed and shown.

    Raises `InvalidInput`.
    """
    best: dict[tuple[str, str, str], _Action] = {}
    found = False
    for members in _actions(decoded(_read_any, raw, "answer")):
        found = True
        try:
            action = msgspec.convert(members, _Action)
        except msgspec.ValidationError as error:
            raise InvalidInput("instanceAction", str(error)) from None
        key = (action.instance_uuid, action.request_id, action.action)
        if key not in best or action.events is not None:
            best[key] = action
    if not found:
        raise InvalidInput("answer", "an instanceAction or instanceActions is allowed")
    for action in best.values():
        yield reported(action)


def reported(action: _Action) -> Reported:
    """What one action becomes."""
    server_id = limits.canonical_uuid("instance_uuid", action.instance_uuid)
    outcome = _outcome(action)
    # Asked again after it ended, it says how.
    named = hash_of([server_id, action.request_id, action.action, outcome])
    who = actor((action.user_id, action.project_id))
    call = e.CallReported(action=action.action, outcome=outcome)
    at = utc(action.start_time, "start_time")
    return Reported(server_id, (call,), context("action", named, who, action.request_id), at)


def _outcome(action: _Action) -> e.CallOutcome:
    results = [step.result for step in action.events or ()]
    if action.message is not None or "Error" in results:
        return "failure"
    if not results:
        return "unknown"
    return "pending" if None in results else "success"


def _actions(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        listed = value.get("instanceActions")
        yield from listed if isinstance(listed, list) else () if listed is None else (listed,)
        if "instanceAction" in value:
            yield value["instanceAction"]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _actions(one)
