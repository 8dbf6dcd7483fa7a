"""What becomes of a call on its way to a command and back."""

from __future__ import annotations

from starlette.responses import Response

from serverdomain.adapters.compute_json import Json
from serverdomain.adapters.http.calls.answers import empty
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.adapters.http.routes.commands import commanding, rename
from serverdomain.servers import Accepted
from tests.adapters.http.client import ACTORS, SERVER, Endpoint


def test_a_parsed_body_is_held_no_longer_once_it_is_a_command(endpoint: Endpoint) -> None:
    """It weighs many times what came, and many may wait for the log."""
    call = Call({"type": "http", "method": "PUT", "path": "/", "headers": []})
    call.actor, call.server_id = ACTORS["member"], SERVER
    call.json = Json({"server": {"name": "other", "beside": [{}] * 1000}}, "server")
    held = []

    def shows(call: Call, accepted: Accepted) -> Response:
        held.append((call.json.value, accepted.server.name))
        return empty(204)

    endpoint.ask.run(commanding(rename, shows)(Cloud(endpoint.servers), call))
    assert held == [(None, "other")]
