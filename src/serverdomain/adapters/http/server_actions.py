"""The actions of ``POST …/servers/{id}/action``, each a route of its own."""

from __future__ import annotations

from msgspec.structs import replace
from starlette.responses import Response

from serverdomain.adapters import compute_json
from serverdomain.adapters.http import log
from serverdomain.adapters.http.answers import answer, empty
from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.cloud import Cloud
from serverdomain.adapters.http.links import itself
from serverdomain.adapters.http.servers import document
from serverdomain.servers import Accepted


def rebuild(cloud: Cloud, call: Call) -> Response:
    """The documented call: 202 with the server, its password once, and its URL."""
    command = compute_json.read_rebuild(call.sent, path=call.api, content_type=call.content_type)
    command = replace(command, image_known=cloud.knows(command.image_id))
    accepted = cloud.servers.rebuild(_id(call), command, call.context, project_id=call.within)
    log.happened(call, accepted)
    return answer(
        document(call, accepted.server, accepted.admin_pass),
        202,
        location=itself(call, "servers", accepted.server.id),
    )


def lock(cloud: Cloud, call: Call) -> Response:
    """Let only administrators act on it."""
    return _taken(call, cloud.servers.lock(_id(call), call.context, project_id=call.within))


def unlock(cloud: Cloud, call: Call) -> Response:
    """Let its users act on it again."""
    return _taken(call, cloud.servers.unlock(_id(call), call.context, project_id=call.within))


def stop(cloud: Cloud, call: Call) -> Response:
    """Turn it off."""
    return _taken(call, cloud.servers.stop(_id(call), call.context, project_id=call.within))


def start(cloud: Cloud, call: Call) -> Response:
    """Turn it on."""
    return _taken(call, cloud.servers.start(_id(call), call.context, project_id=call.within))


def reset_state(cloud: Cloud, call: Call) -> Response:
    """Say what state it is in; ends a rebuild."""
    command = compute_json.read_reset_state(
        call.sent, path=call.api, content_type=call.content_type
    )
    state = command.state
    return _taken(
        call,
        cloud.servers.reset_state(_id(call), state, call.context, project_id=call.within),
    )


def _taken(call: Call, accepted: Accepted) -> Response:
    log.happened(call, accepted)
    return empty(202)


def _id(call: Call) -> str:
    assert call.server_id is not None
    return call.server_id
