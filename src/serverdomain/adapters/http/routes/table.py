"""The table of routes: the name of each, its method and path, and what answers it."""

from __future__ import annotations

from serverdomain.adapters.http.calls.route import UNKNOWN_ACTION, Route, Table
from serverdomain.adapters.http.routes import commands, flavors, images, instance_actions, servers
from serverdomain.adapters.http.routes.commands import Read, Show, commanding
from serverdomain.domain import commands as c

_SERVER = "servers/{server_id}"
_METADATA = "servers/{server_id}/metadata"
_ITEM = "servers/{server_id}/metadata/{item}"
_ACTIONS = "servers/{server_id}/os-instance-actions"


def _command(name: str, method: str, path: str, reads: Read | c.Command, shows: Show) -> Route:
    return Route(name, method, path, commanding(reads, shows), waits=None)


def _action(name: str, action: str, reads: Read | c.Command, shows: Show = commands.taken) -> Route:
    path = "servers/{server_id}/action"
    return Route(name, "POST", path, commanding(reads, shows), action, waits=None)


ROUTES = (
    Route("servers.list", "GET", "servers", servers.index, waits="listing"),
    _command("servers.create", "POST", "servers", commands.create, commands.created),
    Route("servers.detail", "GET", "servers/detail", servers.detail, waits="listing"),
    Route("servers.show", "GET", _SERVER, servers.show, at_once=servers.show_at_once),
    _command("servers.rename", "PUT", _SERVER, commands.rename, commands.changed),
    _command("servers.delete", "DELETE", _SERVER, c.DeleteServer(), commands.gone),
    _action("servers.rebuild", "rebuild", commands.rebuild, commands.rebuilt),
    _action("servers.lock", "lock", c.LockServer()),
    _action("servers.unlock", "unlock", c.UnlockServer()),
    _action("servers.stop", "os-stop", c.StopServer()),
    _action("servers.start", "os-start", c.StartServer()),
    _action("servers.reset_state", "os-resetState", commands.reset_state),
    Route("metadata.show", "GET", _METADATA, servers.metadata),
    _command("metadata.merge", "POST", _METADATA, commands.merge, commands.metadata),
    _command("metadata.replace", "PUT", _METADATA, commands.replace, commands.metadata),
    Route("metadata.show_item", "GET", _ITEM, servers.metadata_item),
    _command("metadata.set_item", "PUT", _ITEM, commands.set_item, commands.item),
    _command("metadata.delete_item", "DELETE", _ITEM, commands.delete_item, commands.gone),
    Route("instance_actions.list", "GET", _ACTIONS, instance_actions.index),
    Route("instance_actions.show", "GET", f"{_ACTIONS}/{{item}}", instance_actions.show),
    Route("images.list", "GET", "images", images.index),
    Route("images.detail", "GET", "images/detail", images.detail),
    Route("images.show", "GET", "images/{item}", images.show),
    Route("flavors.list", "GET", "flavors", flavors.index, waits="listing"),
    Route("flavors.detail", "GET", "flavors/detail", flavors.detail, waits="listing"),
    Route("flavors.show", "GET", "flavors/{item}", flavors.show, waits="listing"),
)
"""Every route below ``/v2/{project}``, ``/v2.1`` and ``/v2.1/{project}``."""

TABLE = Table(ROUTES)

NAMES = (*(route.name for route in ROUTES), UNKNOWN_ACTION)
"""The name of every call."""
