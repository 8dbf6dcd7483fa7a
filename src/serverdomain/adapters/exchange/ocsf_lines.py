"""OCSF: a command as an event of the class *API Activity*, of one version of the schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from serverdomain.adapters.exchange.asked import Asked, asked
from serverdomain.adapters.exchange.form import End
from serverdomain.domain import moment
from serverdomain.store.log import Row

VERSION = "1.8.0"
"""The version of the schema."""

_CLASS = 6003
_CREATE, _UPDATE, _DELETE = 1, 3, 4
_ACTIVITIES = {"register": _CREATE, "create": _CREATE, "delete": _DELETE}
_NAMES = {_CREATE: "Create", _UPDATE: "Update", _DELETE: "Delete"}
_SUCCESS, _FAILURE = (1, "Success"), (2, "Failure")
_INFORMATIONAL = 1
_LOG = "serverdomain"


def lines(log_id: str, rows: Iterable[Row], before: int) -> Iterator[bytes]:
    """A line for each command, refused ones among them."""
    for command in asked(rows):
        yield msgspec.json.encode(_event(log_id, command)) + b"\n"


def end(line: bytes) -> End:
    """Where an export ends, by its last line."""
    metadata = msgspec.json.decode(line)["metadata"]
    return End(metadata["log_name"], metadata["sequence"])


def _event(log_id: str, command: Asked) -> dict[str, Any]:
    activity = _ACTIVITIES.get(command.kind, _UPDATE)
    status_id, status = _FAILURE if command.refused else _SUCCESS
    event = {
        "category_uid": _CLASS // 1_000,
        "class_uid": _CLASS,
        "activity_id": activity,
        "activity_name": _NAMES[activity],
        "type_uid": _CLASS * 100 + activity,
        "severity_id": _INFORMATIONAL,
        "time": _milliseconds(command.occurred_at),
        "status_id": status_id,
        "status": status,
        "metadata": _metadata(log_id, command),
        "actor": {"user": _user(command)},
        "api": {
            "operation": command.kind,
            "service": {"name": "compute"},
            "request": {"uid": command.request_id},
        },
        # The log does not keep from where somebody asked.
        "src_endpoint": {"name": "unknown"},
        "resources": [{"uid": command.server_id, "type": "server"}],
        "unmapped": _unmapped(command),
    }
    if command.refused:
        event["status_code"], event["status_detail"] = command.refusal
    return event


def _metadata(log_id: str, command: Asked) -> dict[str, Any]:
    metadata = {
        "version": VERSION,
        "product": {"name": _LOG, "vendor_name": _LOG},
        "log_name": log_id,
        "uid": f"{log_id}:{command.command_id}",
        "sequence": command.position,
        "original_time": moment.exact(command.occurred_at),
        "logged_time": _milliseconds(command.recorded_at),
    }
    if command.correlation_id is not None:
        metadata["correlation_uid"] = command.correlation_id
    return metadata


def _user(command: Asked) -> dict[str, Any]:
    return {
        "uid": command.user_id,
        "account": {"uid": command.project_id},
        "groups": [{"name": role} for role in command.roles],
    }


def _unmapped(command: Asked) -> dict[str, Any]:
    told = [
        {"position": one.position, "event": one.name, "data": one.data} for one in command.events
    ]
    return {"caused_by": command.caused_by, "events": told}


def _milliseconds(micros: int) -> int:
    return micros // 1_000
