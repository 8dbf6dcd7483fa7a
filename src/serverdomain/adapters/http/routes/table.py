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


def _action(name: str, action: str, reads: Read | c.Command, shows: Show = commands.taken) -> Route:
    return Route(name, "POST", "servers/{server_id}/action", commanding(reads, shows), action)


ROUTES = (
    Route("servers.list", "GET", "servers", servers.index),
    Route("servers.create", "POST", "servers", commanding(commands.create, commands.created)),
    Route("servers.detail", "GET", "servers/detail", servers.detail),
    Route("servers.show", "GET", _SERVER, servers.show, at_once=servers.show_at_once),
    Route("servers.rename", "PUT", _SERVER, commanding(commands.rename, commands.changed)),
    Route("servers.delete", "DELETE", _SERVER, commanding(c.DeleteServer(), commands.gone)),
    _action("servers.rebuild", "rebuild", commands.rebuild, commands.rebuilt),
    _action("servers.lock", "lock", c.LockServer()),
    _action("servers.unlock", "unlock", c.UnlockServer()),
    _action("servers.stop", "os-stop", c.StopServer()),
    _action("servers.start", "os-start", c.StartServer()),
    _action("servers.reset_state", "os-resetState", commands.reset_state),
    Route("metadata.show", "GET", _METADATA, servers.metadata),
    Route("metadata.merge", "POST", _METADATA, commanding(commands.merge, commands.metadata)),
    Route("metadata.replace", "PUT", _METADATA, commanding(commands.replace, commands.metadata)),
    Route("metadata.show_item", "GET", _ITEM, servers.metadata_item),
    Route("metadata.set_item", "PUT", _ITEM, commanding(commands.set_item, commands.item)),
    Route("metadata.delete_item", "DELETE", _ITEM, commanding(commands.delete_item, commands.gone)),
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

TABLE = Table(ROUTES)

NAMES = (*(route.name for route in ROUTES), UNKNOWN_ACTION)
"""The name of every call."""
