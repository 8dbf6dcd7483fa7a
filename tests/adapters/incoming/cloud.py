"""A set of notifications in the form of Nova's, about servers that only these tests know."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

SERVER = "0b54c6a2-6f7c-4a58-9d4e-0e6ea1f8a0c1"
IMAGE = "5a0f8e9e-3f1c-4f39-8f7e-0f6a7a3f9d10"
ANOTHER_IMAGE = "c9d1a2b3-44f5-4a6b-8c7d-9e0f1a2b3c4d"
PROJECT = "7c1d6a0e5b9f4c7e8a2d3f4b5c6d7e8f"
REBUILD = "req-2b1f0d8e-7d3c-4b59-9a51-6a54c1f4e8d2"

INSTANCE: dict[str, Any] = {
    "uuid": SERVER,
    "display_name": "web-1",
    "tenant_id": PROJECT,
    "user_id": "owner",
    "image_uuid": IMAGE,
    "flavor": {
        "nova_object.name": "FlavorPayload",
        "nova_object.namespace": "nova",
        "nova_object.version": "1.4",
        "nova_object.data": {"flavorid": "2", "name": "m1.small"},
    },
    "host": "compute-7",
    "state": "active",
    "power_state": "running",
    "task_state": None,
    "progress": 0,
    "metadata": {"role": "web"},
    "ip_addresses": [
        {
            "nova_object.name": "IpPayload",
            "nova_object.namespace": "nova",
            "nova_object.version": "1.0",
            "nova_object.data": {"address": "10.0.0.7", "version": 4, "label": "private"},
        }
    ],
    "locked": False,
    "auto_disk_config": "AUTO",
    "fault": None,
    "request_id": "req-9f0e4c3b-0a7d-4c56-8a7e-52f3c7f1b6a4",
    "action_initiator_user": "alice",
    "action_initiator_project": PROJECT,
    "created_at": "2026-03-01T08:00:00Z",
    "launched_at": "2026-03-01T08:01:00Z",
    "updated_at": "2026-03-01T08:01:00Z",
    "deleted_at": None,
    "terminated_at": None,
}

FAULT = {
    "nova_object.name": "ExceptionPayload",
    "nova_object.namespace": "nova",
    "nova_object.version": "1.1",
    "nova_object.data": {"exception": "NoSpace", "exception_message": "no space on the host"},
}


def message(
    kind: str,
    at: str | None = "2026-03-01 09:00:00.000000",
    *,
    payload: str = "InstanceActionPayload",
    version: str = "1.9",
    top: dict[str, Any] | None = None,
    **data: Any,
) -> dict[str, Any]:
    """A notification with the timestamp that its bus gives it, or with none."""
    stamped = {} if at is None else {"timestamp": at}
    return {
        "publisher_id": "nova-compute:compute-7",
        "priority": "INFO",
        "event_type": kind,
        "payload": {
            "nova_object.name": payload,
            "nova_object.namespace": "nova",
            "nova_object.version": version,
            "nova_object.data": deepcopy(INSTANCE) | data,
        },
        **stamped,
        **(top or {}),
    }


def rebuilt(minute: int = 0, **data: Any) -> list[dict[str, Any]]:
    """A rebuild that goes well, a message a second."""
    told = {"image_uuid": ANOTHER_IMAGE, "request_id": REBUILD, "metadata": {"role": "db"}} | data
    under_way = {"task_state": "rebuilding", **told}
    at = f"2026-03-01 10:{minute:02}"
    return [
        message("instance.rebuild_scheduled", f"{at}:01", **under_way),
        message("instance.exists", f"{at}:02", version="2.1", payload="InstanceExistsPayload")
        | {"message_id": f"exists-{minute}"},
        message("instance.rebuild.start", f"{at}:03", **under_way),
        message("instance.rebuild.end", f"{at}:04", **told),
    ]


def encoded(one: dict[str, Any]) -> bytes:
    """A message as a line without its end."""
    return json.dumps(one).encode()


def enveloped(one: dict[str, Any]) -> dict[str, Any]:
    """A message in the envelope of `oslo.messaging`."""
    return {"oslo.version": "2.0", "oslo.message": json.dumps(one)}
