"""What the description of the routes says of answers, parameters and headers."""

from __future__ import annotations

import re
from typing import Any

from serverdomain.adapters.compute_json import Path
from serverdomain.adapters.http.calls.answers import NAMES
from serverdomain.projections.server_query import STATUSES

_TEXT = {"type": "string"}
_COUNT = {"type": "integer"}


def object_of(**members: Any) -> dict[str, Any]:
    """The schema of an object with these members, each with its own schema."""
    return {"type": "object", "properties": members, "required": list(members)}


def _also(schema: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The schema of an object that may have these members, too."""
    return {**schema, "properties": {**schema["properties"], **members}}


def _map(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": of}


def _array(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_LINKS = _array(object_of(href=_TEXT, rel=_TEXT))
_NAMED = object_of(id=_TEXT, name=_TEXT, links=_LINKS)
_REFERENCE = object_of(id=_TEXT, links=_LINKS)
_FAULT = object_of(code=_COUNT, message=_TEXT)
_ADDRESS = object_of(addr=_TEXT, version=_COUNT)
_ADDRESS["properties"] |= {"OS-EXT-IPS:type": {"const": "fixed"}, "OS-EXT-IPS-MAC:mac_addr": _TEXT}
_SERVER = object_of(
    accessIPv4=_TEXT,
    accessIPv6=_TEXT,
    addresses=_map(_array(_ADDRESS)),
    created=_TEXT,
    flavor=_REFERENCE,
    hostId=_TEXT,
    id=_TEXT,
    image=_REFERENCE,
    links=_LINKS,
    metadata=_map(_TEXT),
    name=_TEXT,
    status={"enum": list(STATUSES)},
    tenant_id=_TEXT,
    updated=_TEXT,
    user_id=_TEXT,
)
_OR_NONE = {"type": ["string", "null"]}
_SERVER["properties"] |= {
    "adminPass": _TEXT,
    "OS-EXT-STS:vm_state": {"enum": ["active", "building", "error", "stopped"]},
    "OS-EXT-STS:task_state": {"enum": ["rebuild_spawning", "spawning", None]},
    "OS-EXT-STS:power_state": {"enum": [0, 1, 4]},
    "OS-SRV-USG:launched_at": _OR_NONE,
    "OS-SRV-USG:terminated_at": _OR_NONE,
    "OS-EXT-AZ:availability_zone": _TEXT,
    "config_drive": _TEXT,
    "key_name": _OR_NONE,
    "os-extended-volumes:volumes_attached": {"type": "array"},
    "security_groups": _array(object_of(name=_TEXT)),
    "progress": {"type": "integer", "minimum": 0, "maximum": 100},
    "OS-DCF:diskConfig": {"enum": ["AUTO", "MANUAL"]},
    "fault": _also(_FAULT, created=_TEXT),
}
_TEXTS = ("action", "instance_uuid", "request_id", "user_id", "project_id", "start_time")
_ACTION = object_of(**dict.fromkeys(_TEXTS, _TEXT), message=_OR_NONE)
_EVENT = object_of(
    event=_TEXT,
    start_time=_TEXT,
    finish_time=_OR_NONE,
    result={"enum": ["Success", "Error", None]},
    traceback={"type": "null"},
)

SCHEMAS: dict[str, Any] = {
    "Fault": {
        "type": "object",
        "properties": dict.fromkeys(sorted({*NAMES.values(), "computeFault"}), _FAULT),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    },
    "Version": {"type": "object", "minProperties": 1},
    "Server": object_of(server=_SERVER),
    "Created": object_of(server=object_of(id=_TEXT, links=_LINKS)),
    "Servers": object_of(servers=_array(_NAMED)),
    "ServersInDetail": object_of(servers=_array(_SERVER)),
    "MetadataMap": object_of(metadata=_map(_TEXT)),
    "MetadataItem": object_of(meta=_map(_TEXT)),
    "InstanceActions": object_of(instanceActions=_array(_ACTION)),
    "InstanceAction": object_of(instanceAction=_also(_ACTION, events=_array(_EVENT))),
    "Images": object_of(images=_array(_NAMED)),
    "Image": object_of(image=_NAMED),
    "Flavors": object_of(flavors=_array(_NAMED)),
    "Flavor": object_of(flavor=_NAMED),
}
"""What answers are, by name."""

ANSWERS: dict[str, tuple[str, str | None]] = {
    "servers.list": ("200", "Servers"),
    "servers.create": ("202", "Created"),
    "servers.detail": ("200", "ServersInDetail"),
    **dict.fromkeys(("servers.show", "servers.rename"), ("200", "Server")),
    **dict.fromkeys(("servers.delete", "metadata.delete_item"), ("204", None)),
    # The server for a rebuild, and nothing for the other actions of its path.
    "servers.rebuild": ("202", None),
    **dict.fromkeys(
        ("metadata.show", "metadata.merge", "metadata.replace"), ("200", "MetadataMap")
    ),
    **dict.fromkeys(("metadata.show_item", "metadata.set_item"), ("200", "MetadataItem")),
    "instance_actions.list": ("200", "InstanceActions"),
    "instance_actions.show": ("200", "InstanceAction"),
    **dict.fromkeys(("images.list", "images.detail"), ("200", "Images")),
    "images.show": ("200", "Image"),
    **dict.fromkeys(("flavors.list", "flavors.detail"), ("200", "Flavors")),
    "flavors.show": ("200", "Flavor"),
}
"""The status of a route's answer, and what it is."""

_REFUSALS = {
    "400": "The words alone are wrong.",
    "401": "Nobody is known by this token.",
    "403": "The caller may not do this, or no more of it.",
    "404": "There is no such thing for this caller.",
    "406": "Another microversion was asked for.",
    "409": "The server's state or lock does not allow it.",
    "413": "The body is too long.",
    "415": "The body is of another type than JSON.",
    "422": "The Idempotency-Key was used for another command.",
    "500": "Something that nobody foresaw.",
    "503": "The store cannot be used: repeat the call under its Idempotency-Key.",
}


def answers(status: str, name: str | None) -> dict[str, Any]:
    """The answers of an operation: the one that was asked for, and the fault envelope."""
    good: dict[str, Any] = {"description": "What was asked for."}
    if name is not None:
        good["content"] = {"application/json": {"schema": _ref(name)}}
    fault = {"application/json": {"schema": _ref("Fault")}}
    refusals = {
        refused: {"description": why, "content": fault} for refused, why in _REFUSALS.items()
    }
    return {status: good, **refusals}


def in_path(path: str) -> list[dict[str, Any]]:
    """The parameters that a path names."""
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _optional(name: str, where: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": where, "required": False, "schema": schema}


MIN_POSITION = _optional("min_position", "query", {"type": "integer", "minimum": 0})
"""What every GET may be asked: to be answered as of a position, or a later one."""

_PAGES = [
    _optional("limit", "query", {"type": "integer", "minimum": 0}),
    _optional("marker", "query", _TEXT),
]
_LIST = [
    _optional("name", "query", _TEXT),
    _optional("status", "query", _TEXT),
    _optional("image", "query", _TEXT),
    _optional("flavor", "query", _TEXT),
    *_PAGES,
    _optional("all_tenants", "query", {"enum": ["0", "1", "true", "false"]}),
]
_NAMED_PAGES = [*_LIST[:1], *_PAGES]

QUERIES: dict[str, list[dict[str, Any]]] = {
    **dict.fromkeys(("servers.list", "servers.detail"), _LIST),
    **dict.fromkeys(("images.list", "images.detail"), _NAMED_PAGES),
    **dict.fromkeys(("flavors.list", "flavors.detail"), _PAGES),
}
"""The query parameters of a route, by its name."""

_IDS = [
    _optional("Idempotency-Key", "header", {"type": "string", "pattern": "^[!-~]{1,255}$"}),
    _optional("X-OpenStack-Request-ID", "header", _TEXT),
]

HEADERS: dict[Path, list[dict[str, Any]]] = {
    "v2": _IDS,
    "v2.1": [
        *_IDS,
        _optional("OpenStack-API-Version", "header", {"enum": ["compute 2.1", "compute latest"]}),
    ],
}
"""The headers that an API reads."""
