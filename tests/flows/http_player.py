"""Plays a recorded flow over HTTP: the recorded requests themselves, sent to the endpoint."""

from __future__ import annotations

from typing import Any

from serverdomain import Actor, Servers
from serverdomain.adapters.http import compute_app
from tests.adapters.http.client import Client
from tests.flows.player import ACTORS, PROJECT, SERVER_ID, Answer, Player

ENDPOINT = "http://{host}"


def _by_user(request: Any) -> Actor | None:
    return ACTORS.get(request.headers.get("x-auth-token", ""))


class HttpPlayer(Player):
    """One flow, each step of it a request to an app over the servers."""

    knows_rules = False

    def __init__(self, servers: Servers, flow: dict[str, Any], run: dict[str, Any]) -> None:
        super().__init__(servers, flow, run)
        self._project = run.get("path_project", PROJECT)
        self._client = Client(
            compute_app(
                servers,
                authenticate=_by_user,
                images=lambda image_id: None if image_id in self.unknown_images else "an image",
                hypervisor=None,
                endpoint=ENDPOINT,
            )
        )

    def answer(self, request: dict[str, Any]) -> Answer:
        """What our endpoint answers to a recorded request."""
        path = request["path"].replace("{project_id}", self._project)
        path = path.replace("{server_id}", SERVER_ID)
        headers = {}
        if request["microversion"] is not None:
            headers["OpenStack-API-Version"] = f"compute {request['microversion']}"
        answer = self._client(
            request["method"], path, json=request["body"], user=request["user"], headers=headers
        )
        assert answer.headers["x-openstack-request-id"].startswith("req-")
        assert ("openstack-api-version" in answer.headers) == (self.api == "v2.1")
        if answer.status_code >= 400:
            ((fault, told),) = answer.json().items()
            assert told["code"] == answer.status_code
            return Answer(answer.status_code, fault)
        shown = answer.json() if answer.content else {}
        server = shown.get("server", shown)
        if answer.status_code == 202 and server:
            assert answer.headers["location"] == server["links"][0]["href"]
        return Answer(answer.status_code, server=server)

    def close(self) -> None:
        """End the client."""
        self._client.close()
