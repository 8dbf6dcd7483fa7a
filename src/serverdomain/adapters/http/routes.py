"""The table of routes: the name of each, its method and path, and what answers it.

Matched by segments, in one step: patterns tried in turn took 15 us for a path on `/v2.1`, this 1.5,
of about 70 that a server takes to be found and shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from starlette.responses import Response

from serverdomain.adapters.compute_json import Path
from serverdomain.adapters.http import (
    flavors,
    images,
    instance_actions,
    listing,
    metadata,
    server_actions,
    servers,
)
from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.cloud import Cloud

Handler = Callable[[Cloud, Call], Response]


AtOnce = Callable[[Cloud, Call], "Response | None"]


class Route(NamedTuple):
    """What answers one kind of call; of several on one path and method ``action`` tells which.

    ``handler`` may wait for the store; ``at_once`` never does, and is asked first.
    """

    name: str
    method: str
    path: str
    handler: Handler
    action: str | None = None
    at_once: AtOnce | None = None


_SERVER = "servers/{server_id}"
_ACTION = "servers/{server_id}/action"
_METADATA = "servers/{server_id}/metadata"
_ACTIONS = "servers/{server_id}/os-instance-actions"

ROUTES = (
    Route("servers.list", "GET", "servers", listing.index),
    Route("servers.create", "POST", "servers", servers.create),
    Route("servers.detail", "GET", "servers/detail", listing.detail),
    Route("servers.show", "GET", _SERVER, servers.show, at_once=servers.show_at_once),
    Route("servers.rename", "PUT", _SERVER, servers.rename),
    Route("servers.delete", "DELETE", _SERVER, servers.delete),
    Route("servers.rebuild", "POST", _ACTION, server_actions.rebuild, "rebuild"),
    Route("servers.lock", "POST", _ACTION, server_actions.lock, "lock"),
    Route("servers.unlock", "POST", _ACTION, server_actions.unlock, "unlock"),
    Route("servers.stop", "POST", _ACTION, server_actions.stop, "os-stop"),
    Route("servers.start", "POST", _ACTION, server_actions.start, "os-start"),
    Route("servers.reset_state", "POST", _ACTION, server_actions.reset_state, "os-resetState"),
    Route("metadata.show", "GET", _METADATA, metadata.show),
    Route("metadata.merge", "POST", _METADATA, metadata.merge),
    Route("metadata.replace", "PUT", _METADATA, metadata.replace),
    Route("metadata.show_item", "GET", f"{_METADATA}/{{item}}", metadata.show_item),
    Route("metadata.set_item", "PUT", f"{_METADATA}/{{item}}", metadata.set_item),
    Route("metadata.delete_item", "DELETE", f"{_METADATA}/{{item}}", metadata.delete_item),
    Route("instance_actions.list", "GET", _ACTIONS, instance_actions.index),
    Route("instance_actions.show", "GET", f"{_ACTIONS}/{{item}}", instance_actions.show),
    Route("images.list", "GET", "images", images.index),
    Route("images.detail", "GET", "images/detail", images.detail),
    Route("images.show", "GET", "images/{item}", images.show),
    Route("flavors.list", "GET", "flavors", flavors.index),
    Route("flavors.detail", "GET", "flavors/detail", flavors.detail),
    Route("flavors.show", "GET", "flavors/{item}", flavors.show),
)
"""Every route below ``/v2/{project}``, ``/v2.1`` and ``/v2.1/{project}``."""

RESOURCES = frozenset({"servers", "images", "flavors"})
"""First segments that on `/v2.1` are no project."""

UNKNOWN_ACTION = "servers.action"
"""The name of a call to a server's actions before, or where never, one is known."""

NAMES = (*(route.name for route in ROUTES), UNKNOWN_ACTION)
"""The name of every call."""

Choices = dict["str | None", Route]
"""The routes of one path and method, by their action; one without has ``None``."""


class Place(NamedTuple):
    """Where a path leads: the API, what the path names, and the routes there by their method."""

    api: Path
    project: str | None
    server_id: str | None
    item: str | None
    methods: dict[str, Choices]


class _Node:
    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.methods: dict[str, Choices] = {}


def find(segments: list[str]) -> Place | None:
    """Where a path leads, given by its segments; ``None`` where nothing is."""
    if segments[0] == "v2":
        api: Path = "v2"
        project, rest = (segments[1] if len(segments) > 1 else None), segments[2:]
    elif segments[0] == "v2.1":
        api = "v2.1"
        has_project = len(segments) > 1 and segments[1] not in RESOURCES
        project, rest = (segments[1], segments[2:]) if has_project else (None, segments[1:])
    else:
        return None
    node = _TREE
    named: dict[str, str | None] = {"{server_id}": None, "{item}": None}
    for segment in rest:
        child = node.children.get(segment)
        # Only what is written in the table is a literal, never a placeholder's own name.
        if child is None or segment in named:
            name = next((name for name in named if name in node.children), None)
            if name is None:
                return None
            named[name] = segment
            child = node.children[name]
        node = child
    if not node.methods:
        return None
    return Place(api, project, named["{server_id}"], named["{item}"], node.methods)


def _tree() -> _Node:
    root = _Node()
    for route in ROUTES:
        node = root
        for segment in route.path.split("/"):
            node = node.children.setdefault(segment, _Node())
        node.methods.setdefault(route.method, {})[route.action] = route
    return root


_TREE = _tree()
