"""What a cloud told, and the same story over HTTP: servers pass through the same, in one order."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from serverdomain import Servers
from serverdomain.adapters.incoming import nova
from serverdomain.adapters.incoming.files import told
from serverdomain.adapters.incoming.rejects import Rejects
from serverdomain.adapters.incoming.taking import Taking, take_in
from tests.adapters.http.client import OTHER_IMAGE, Endpoint

OWN = Path(__file__).parents[2] / "data" / "notifications"
SHARED = Path(__file__).parents[4] / "shared" / "contract" / "notifications"
_ABSENT = pytest.param(None, id="shared", marks=pytest.mark.skip(reason="../shared is not there"))
CAPTURED = [*sorted(OWN.glob("run-*.json")), *(sorted(SHARED.glob("run-*.json")) or [_ABSENT])]


def passed_through(servers: Servers, server_id: str) -> list[dict[str, Any]]:
    """The names, images, metadata and statuses after each request, as the timeline tells them."""
    state: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    for _, entries in groupby(servers.history(server_id), lambda entry: entry.request_id):
        for change in (change for entry in entries for change in entry.changes):
            if change.path.startswith(("/name", "/image/id", "/metadata", "/status")):
                state[change.path] = change.after
        told = {path: value for path, value in state.items() if value is not None}
        if found[-1:] != [told]:
            found.append(told)
    return found


def imported(path: Path) -> list[dict[str, Any]]:
    """What the servers of a captured run passed through."""
    rejects = Rejects()
    with Servers.open("memory:") as servers, path.open("rb") as file:
        taker = Taking(servers, rejects)
        for _ in take_in(told(file, path.name, nova.read), taker, rejects):
            pass
        taker.write()
        assert rejects.said == []
        return passed_through(servers, _data(json.loads(path.read_bytes())[0])["uuid"])


class Story:
    """A captured run told anew by those who ask over HTTP, and by the host where Nova's spoke."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._ask = endpoint.ask
        self._said: dict[str, Any] = {}
        self._rebuild_id = ""
        self.server_id = ""

    def adopt(self, said: dict[str, Any], **before: Any) -> None:
        """Begin with a server that is there already, as a message says but for what was before."""
        is_as = {"name": said["display_name"], "image_id": said["image_uuid"]}
        members = {**is_as, "metadata": said["metadata"], **before}
        self.server_id = self._endpoint.register(said["uuid"], **members)

    def tell(self, kind: str, said: dict[str, Any]) -> None:
        """Bring about what a notification reports, which comes behind those told so far."""
        servers, rebuild_id = self._endpoint.servers, self._rebuild_id
        failed: Any = {"rebuild_id": rebuild_id, "reason": "as Nova said"}
        match kind:
            case "instance.create.start":
                answer = self._ask("POST", "/v2.1/servers", json={"server": _asked(said, "flavor")})
                self.server_id = answer.json()["server"]["id"]
            case "instance.create.end":
                servers.report_built(self.server_id)
            case "instance.rebuild_scheduled":
                self._rebuild(said)
            case "instance.rebuild.end":
                servers.complete_rebuild(self.server_id, rebuild_id=rebuild_id)
            case "instance.rebuild.error":
                servers.fail_rebuild(self.server_id, **failed)
            case "compute_task.rebuild_server.error":
                servers.fail_rebuild(self.server_id, **failed, stage="scheduling")
            case "instance.power_off.end":
                self._act({"os-stop": None})
            case "instance.power_on.end":
                self._act({"os-start": None})
            case "instance.lock" | "instance.unlock":
                self._act({kind.partition(".")[2]: None})
            case "instance.delete.end":
                assert self._ask("DELETE", self._path()).status_code == 204
            case "instance.update":
                self._update(said)
        self._said = said

    def _update(self, said: dict[str, Any]) -> None:
        if said.get("state_update"):
            self._rebuild(said)
        if said["display_name"] != self._said.get("display_name", said["display_name"]):
            renamed = {"server": {"name": said["display_name"]}}
            assert self._ask("PUT", self._path(), json=renamed).status_code == 200
        if said["metadata"] != self._said.get("metadata", said["metadata"]):
            whole = {"metadata": said["metadata"]}
            assert self._ask("PUT", f"{self._path()}/metadata", json=whole).status_code == 200

    def _rebuild(self, said: dict[str, Any]) -> None:
        answer = self._act({"rebuild": _asked(said)})
        self._rebuild_id = answer.headers["x-openstack-request-id"]

    def _act(self, action: dict[str, Any]) -> Any:
        answer = self._ask.act(action, self.server_id)
        assert answer.status_code == 202
        return answer

    def _path(self) -> str:
        return f"/v2.1/servers/{self.server_id}"


def _asked(said: dict[str, Any], *more: str) -> dict[str, Any]:
    asked = {"name": said["display_name"], "imageRef": said["image_uuid"]}
    if more:
        asked["flavorRef"] = said["flavor"]["nova_object.data"]["flavorid"]
    return {**asked, "metadata": said["metadata"]}


def _data(message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = message["payload"]["nova_object.data"]
    return found


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path and path.stem)
def test_a_captured_run_passes_through_what_the_same_story_over_http_does(path: Path) -> None:
    messages = json.loads(path.read_bytes())
    first, said = messages[0]["event_type"], _data(messages[0])
    is_in_the_middle = first not in ("instance.create.start", "instance.exists")
    with Endpoint() as endpoint:
        story = Story(endpoint)
        if is_in_the_middle:
            story.adopt(said, name="before", image_id=OTHER_IMAGE, metadata={"old": "yes"})
        elif first == "instance.exists":
            story.adopt(said)
        for message in messages:
            story.tell(message["event_type"], _data(message))
        over_http = passed_through(endpoint.servers, story.server_id)
    # A capture that begins in the middle knows nothing of what was before.
    assert imported(path) == over_http[is_in_the_middle:]
