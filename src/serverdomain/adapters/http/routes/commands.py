"""What changes something: which command a call asks for, and how one that was taken is answered.

The table of routes puts them together; what happens between them is the same for every command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import structs
from starlette.responses import Response

from serverdomain.adapters import compute_json
from serverdomain.adapters.http import log
from serverdomain.adapters.http.calls.answers import answer, empty
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.adapters.http.calls.route import Handler
from serverdomain.domain import commands as c
from serverdomain.servers import Accepted

Read = Callable[[Cloud, Call], c.Command]
"""Makes the command that a call asks for."""

Show = Callable[[Call, Accepted], Response]
"""Answers a call whose command was taken."""


def commanding(reads: Read | c.Command, shows: Show) -> Handler:
    """What answers a route by a command: the same one for every call, or one that is read."""

    def handler(cloud: Cloud, call: Call) -> Response:
        command = reads if isinstance(reads, c.Command) else reads(cloud, call)
        accepted = cloud.servers.command(
            call.server_id, command, call.context, project_id=call.within
        )
        log.happened(call, accepted)
        return shows(call, accepted)

    return handler


# No reader is told which images there are: that is a hook, and no frame of one that fails may lie
# beside a body, which may hold a password.


def create(cloud: Cloud, call: Call) -> c.Command:
    """Read a create, and note what of it decides nothing."""
    command, call.dropped = compute_json.read_create(call.json, path=call.api)
    if cloud.find_image is None or cloud.find_image(command.image_id) is not None:
        return command
    return structs.replace(command, image_known=False)


def rebuild(cloud: Cloud, call: Call) -> c.Command:
    """Read a rebuild."""
    command = compute_json.read_rebuild(call.json, path=call.api)
    if cloud.find_image is None or cloud.find_image(command.image_id) is not None:
        return command
    return structs.replace(command, image_known=False)


def rename(cloud: Cloud, call: Call) -> c.Command:
    """Read another name, or other access addresses or disk config."""
    return compute_json.read_rename(call.json, path=call.api)


def reset_state(cloud: Cloud, call: Call) -> c.Command:
    """Read a state."""
    return compute_json.read_reset_state(call.json, path=call.api)


def merge(cloud: Cloud, call: Call) -> c.Command:
    """Read items."""
    return c.UpdateMetadata(metadata=compute_json.read_metadata(call.json, path=call.api))


def replace(cloud: Cloud, call: Call) -> c.Command:
    """Read a whole map."""
    return c.ReplaceMetadata(metadata=compute_json.read_metadata(call.json, path=call.api))


def set_item(cloud: Cloud, call: Call) -> c.Command:
    """Read one item, whose key the path and the body name alike."""
    item = compute_json.read_metadata_item(call.json, call.item or "", path=call.api)
    return c.UpdateMetadata(metadata=item)


def delete_item(cloud: Cloud, call: Call) -> c.Command:
    """Take the key of an item from the path."""
    return c.DeleteMetadata(keys=(call.item or "",))


def created(call: Call, accepted: Accepted) -> Response:
    """Show where the new server is, and its password, once."""
    server = accepted.server
    shown: dict[str, Any] = {"id": server.id, "links": call.links("servers", server.id)}
    if call.api == "v2.1":
        shown["OS-DCF:diskConfig"] = server.disk_config
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
    """Say that it was taken, and nothing else."""
    return empty(202)


def gone(call: Call, accepted: Accepted) -> Response:
    """Say that it is no longer there."""
    return empty(204)
