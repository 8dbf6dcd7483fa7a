"""Calls that change something: how each is read as a command, and how its outcome is answered.

The table of routes pairs a reader with an answer; what happens in between is the same for all. A
reader's docstring is what the description of the routes says of the route.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import structs
from starlette.responses import Response

from serverdomain.adapters import compute_json
from serverdomain.adapters.compute_json.extended import SECURITY_GROUPS
from serverdomain.adapters.http import log
from serverdomain.adapters.http.calls.answers import answer, empty
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.adapters.http.calls.route import Awaiting
from serverdomain.domain import commands as c
from serverdomain.servers import Accepted

Read = Callable[[Cloud, Call], Awaitable[c.Command]]
"""Reads the command that a call asks for."""

Show = Callable[[Call, Accepted], Response]
"""Answers a call whose command was taken."""

POSITION = "x-serverdomain-position"
"""The header with the position of what a call made happen."""


def commanding(reads: Read | c.Command, shows: Show) -> Awaiting:
    """A handler that asks a command, the same for every call or as it is read, and answers."""

    async def handler(cloud: Cloud, call: Call) -> Response:
        command = reads if isinstance(reads, c.Command) else await reads(cloud, call)
        # Parsed, a body may weigh thirty times as much, and many may wait for the log.
        call.json = compute_json.Json(None, None)
        accepted = await cloud.awaited.command(
            call.server_id, command, call.context, project_id=call.within
        )
        log.happened(call, accepted)
        response = shows(call, accepted)
        if accepted.position is not None:
            response.headers[POSITION] = str(accepted.position)
        return response

    handler.__doc__ = reads.__doc__
    return handler


# Whether an image exists is asked of a hook, which may fail. So it is asked here and not inside a
# reader: no frame in its traceback may hold a body, which may hold a password.


async def create(cloud: Cloud, call: Call) -> c.Command:
    """Make a server in the caller's project: 202, BUILD until the hypervisor has built it."""
    command, call.dropped = compute_json.read_create(call.json, path=call.api)
    if not await cloud.has_flavor(command.flavor_id):
        return structs.replace(command, flavor_known=False)
    if await cloud.has_image(command.image_id):
        return command
    return structs.replace(command, image_known=False)


async def rebuild(cloud: Cloud, call: Call) -> c.Command:
    """The documented call: 202 with the server, its password once, and its URL."""
    command = compute_json.read_rebuild(call.json, path=call.api)
    if await cloud.has_image(command.image_id):
        return command
    return structs.replace(command, image_known=False)


async def rename(cloud: Cloud, call: Call) -> c.Command:
    """Give a server another name, other access addresses or disk config, or nothing new."""
    return compute_json.read_rename(call.json, path=call.api)


async def reset_state(cloud: Cloud, call: Call) -> c.Command:
    """Say what state it is in; ends a rebuild."""
    return compute_json.read_reset_state(call.json, path=call.api)


async def merge(cloud: Cloud, call: Call) -> c.Command:
    """Set those items that came; the others stay."""
    return c.UpdateMetadata(metadata=compute_json.read_metadata(call.json, path=call.api))


async def replace(cloud: Cloud, call: Call) -> c.Command:
    """Make the map what came, whole."""
    return c.ReplaceMetadata(metadata=compute_json.read_metadata(call.json, path=call.api))


async def set_item(cloud: Cloud, call: Call) -> c.Command:
    """Set one item, whose key the path and the body name alike."""
    item = compute_json.read_metadata_item(call.json, call.item or "", path=call.api)
    return c.UpdateMetadata(metadata=item)


async def delete_item(cloud: Cloud, call: Call) -> c.Command:
    """Take one item out."""
    return c.DeleteMetadata(keys=(call.item or "",))


def created(call: Call, accepted: Accepted) -> Response:
    """Show where the new server is, and its password, once."""
    server = accepted.server
    shown: dict[str, Any] = {"id": server.id, "links": call.links("servers", server.id)}
    if call.api == "v2.1":
        shown["OS-DCF:diskConfig"] = server.disk_config
        shown["security_groups"] = SECURITY_GROUPS
    if accepted.admin_pass is not None:
        shown["adminPass"] = accepted.admin_pass
    return answer({"server": shown}, 202, location=shown["links"][0]["href"])


def rebuilt(call: Call, accepted: Accepted) -> Response:
    """Show the server, its password once, and its URL."""
    shown = _shown(call, accepted)
    return answer({"server": shown}, 202, location=shown["links"][0]["href"])


def changed(call: Call, accepted: Accepted) -> Response:
    """Show the server."""
    return answer({"server": _shown(call, accepted)})


def _shown(call: Call, accepted: Accepted) -> dict[str, Any]:
    return compute_json.render(
        accepted.server,
        endpoint=call.endpoint,
        path=call.api,
        project=call.project,
        admin_pass=accepted.admin_pass,
    )


def metadata(call: Call, accepted: Accepted) -> Response:
    """Show the whole map."""
    return answer({"metadata": accepted.server.metadata})


def item(call: Call, accepted: Accepted) -> Response:
    """Show the one item."""
    key = call.item or ""
    return answer({"meta": {key: accepted.server.metadata[key]}})


def taken(call: Call, accepted: Accepted) -> Response:
    """Say only that it was taken."""
    return empty(202)


def gone(call: Call, accepted: Accepted) -> Response:
    """Say that it is no longer there."""
    return empty(204)
