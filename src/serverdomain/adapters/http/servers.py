"""A server: created, shown, renamed and deleted."""

from __future__ import annotations

from msgspec.structs import replace
from starlette.responses import Response

from serverdomain.adapters import compute_json
from serverdomain.adapters.http import log
from serverdomain.adapters.http.answers import answer, empty, written
from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.cloud import Cloud
from serverdomain.adapters.http.links import itself, links
from serverdomain.domain.commands import RenameServer
from serverdomain.domain.server import Server


def create(cloud: Cloud, call: Call) -> Response:
    """Make a server in the caller's project: 202, BUILD until the hypervisor has built it."""
    command, dropped = compute_json.read_create(
        call.sent, path=call.api, content_type=call.content_type
    )
    command = replace(command, image_known=cloud.knows(command.image_id))
    accepted = cloud.servers.create(command, call.context, project_id=call.actor.project_id)
    log.happened(call, accepted, dropped)
    server = accepted.server
    shown = {"id": server.id, "links": links(call, "servers", server.id)}
    if call.api == "v2.1":
        shown["OS-DCF:diskConfig"] = server.disk_config
    if accepted.admin_pass is not None:
        shown["adminPass"] = accepted.admin_pass
    return answer({"server": shown}, 202, location=itself(call, "servers", server.id))


def show(cloud: Cloud, call: Call) -> Response:
    """A server as the documented answer shows it."""
    server = cloud.servers.get(_id(call), project_id=call.within)
    return written(cloud.shown(server, call.endpoint, call.api, call.project))


def show_at_once(cloud: Cloud, call: Call) -> Response | None:
    """The same, where the server is known without a look into the store."""
    server = cloud.servers.get_at_once(_id(call), project_id=call.within)
    if server is None:
        return None
    return written(cloud.shown(server, call.endpoint, call.api, call.project))


def rename(cloud: Cloud, call: Call) -> Response:
    """Give a server another name, or other access addresses or disk config."""
    command = compute_json.read_rename(call.sent, path=call.api, content_type=call.content_type)
    if isinstance(command, RenameServer):
        accepted = cloud.servers.rename(
            _id(call), command.name, call.context, project_id=call.within
        )
    else:
        accepted = cloud.servers.change(_id(call), command, call.context, project_id=call.within)
    log.happened(call, accepted)
    return answer(document(call, accepted.server))


def delete(cloud: Cloud, call: Call) -> Response:
    """Remove a server, at once."""
    log.happened(call, cloud.servers.delete(_id(call), call.context, project_id=call.within))
    return empty(204)


def document(call: Call, server: Server, admin_pass: str | None = None) -> dict[str, object]:
    """The whole answer that shows one server."""
    return {
        "server": compute_json.render(
            server,
            endpoint=call.endpoint,
            path=call.api,
            project=call.project,
            admin_pass=admin_pass,
        )
    }


def _id(call: Call) -> str:
    assert call.server_id is not None
    return call.server_id
