"""Every answer of `/v2.1` passes the schema that Nova checks its own answers with."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from msgspec import json
from starlette.responses import Response
from starlette.routing import BaseRoute

from serverdomain import RebuildServer, Servers
from serverdomain.adapters.http import NoAuthentication
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.control import Answer
from serverdomain.adapters.http.calls.route import UNKNOWN_ACTION
from serverdomain.adapters.http.routes.table import NAMES
from tests.adapters.http.client import IMAGE, OTHER_IMAGE, Client, Endpoint
from tests.schemas.nova import EXEMPT, SCHEMAS, NoSchemas, schemas, wrong

pytestmark = pytest.mark.slow

API = "/v2.1"
STATUSES = ("ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF")


@pytest.fixture(scope="module", autouse=True)
def _nova() -> None:
    try:
        schemas()
    except NoSchemas as missing:
        if os.environ.get("SCHEMAS") == "required":
            raise
        pytest.skip(str(missing))


class Seen:
    """Keeps the good answers of every route."""

    routes: Sequence[BaseRoute] = ()

    def __init__(self) -> None:
        self.answers: list[tuple[str, Any]] = []

    async def around(self, call: Call, answer: Answer) -> Response:
        response = await answer()
        self.early(call, response)
        return response

    def early(self, call: Call, response: Response) -> None:
        if response.status_code < 300:
            body = bytes(response.body)
            self.answers.append((str(call.route), json.decode(body) if body else None))


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    seen = Seen()
    images = {IMAGE: "old", OTHER_IMAGE: "new"}
    everybody = NoAuthentication(admin=True)
    with Endpoint(control=seen, images=images, authenticate=everybody) as endpoint:
        drive(endpoint.ask, endpoint.servers)
        yield seen


def drive(ask: Client, servers: Servers) -> None:
    """Call every route, on servers in every status."""
    for path in ("/", "/v2/", "/v2.1/"):
        ask.get(path)
    for of in ("images", "flavors"):
        for page in ("", "/detail", "?limit=1", "/detail?limit=1"):
            ask.get(f"{API}/{of}{page}")
    ask.get(f"{API}/images/{IMAGE}")
    ask.get(f"{API}/flavors/1")
    for status in STATUSES:
        body = {"name": status, "imageRef": IMAGE, "flavorRef": "1", "metadata": {"a": "1"}}
        made = ask("POST", f"{API}/servers", json={"server": body})
        of_one(ask, bring(servers, made.json()["server"]["id"], status))


def of_one(ask: Client, server_id: str) -> None:
    """Call every route of one server, as far as its status allows it."""
    here = f"{API}/servers/{server_id}"
    for path in (here, *(f"{API}/servers{end}" for end in ("", "/detail", "?limit=1"))):
        ask.get(path)
    for asked in ({}, {"name": "renamed"}, {"accessIPv4": "1.2.3.4", "accessIPv6": "::1"}):
        ask("PUT", here, json={"server": asked})
    ask("POST", f"{here}/metadata", json={"metadata": {"b": "2"}})
    ask("PUT", f"{here}/metadata", json={"metadata": {"b": "2", "c": "3"}})
    ask("PUT", f"{here}/metadata/b", json={"meta": {"b": "3"}})
    for path in ("", "/metadata", "/metadata/b"):
        ask.get(f"{here}{path}")
    ask("DELETE", f"{here}/metadata/b")
    for action in ("lock", "unlock", "os-stop", "os-start"):
        ask.act({action: None}, server_id)
        ask.get(here)
    ask.act({"rebuild": {"imageRef": OTHER_IMAGE, "name": "again"}}, server_id)
    actions = ask.get(f"{here}/os-instance-actions").json()["instanceActions"]
    for one in actions:
        ask.get(f"{here}/os-instance-actions/{one['request_id']}")
    ask.get(here)
    ask.get(f"{API}/servers/detail")
    ask.act({"os-resetState": {"state": "error"}}, server_id)
    ask.get(here)
    ask("DELETE", here)


def bring(servers: Servers, server_id: str, status: str) -> str:
    """Bring a server that is BUILD into a status."""
    if status != "BUILD":
        servers.report_built(server_id)
    if status in ("ERROR", "REBUILD"):
        servers.rebuild(server_id, RebuildServer(image_id=OTHER_IMAGE))
    if status == "ERROR":
        servers.fail_rebuild(server_id, "no valid host", "scheduling")
    if status == "SHUTOFF":
        servers.stop(server_id)
    assert servers.get(server_id).status == status
    return server_id


def test_every_answer_passes_nova_s_own_schema(seen: Seen) -> None:
    found: dict[str, list[str]] = {}
    for route, body in seen.answers:
        if wrongs := wrong(route, without_the_exemption(route, body)):
            found.setdefault(route, []).extend(wrongs)

    assert found == {}
    print(f"{len(seen.answers)} answers of {len(set(dict(seen.answers)))} routes pass")


def without_the_exemption(route: str, body: Any) -> Any:
    name = EXEMPT.get(route)
    if name is None:
        return body
    body = copy.deepcopy(body)
    for one in body["images"]:
        assert one.pop(name) == "ACTIVE"
    return body


def test_every_route_was_answered(seen: Seen) -> None:
    documents = {"versions.list", "versions.v2", "versions.v2.1"}
    assert set(SCHEMAS) == {*NAMES, *documents} - {UNKNOWN_ACTION}
    assert {route for route, _ in seen.answers} == set(SCHEMAS)


def test_the_exemption_is_one(seen: Seen) -> None:
    assert list(EXEMPT) == ["images.list"]
    lists = [body for route, body in seen.answers if route == "images.list"]
    assert all(wrong("images.list", body) for body in lists if body["images"])


def test_what_lacks_a_member_does_not_pass(seen: Seen) -> None:
    shown = next(body for route, body in seen.answers if route == "servers.show")
    for name in ("OS-EXT-STS:vm_state", "config_drive", "id"):
        lacking = {"server": {one: value for one, value in shown["server"].items() if one != name}}
        assert wrong("servers.show", lacking) == [f"$.server: '{name}' is a required property"]
    assert wrong("servers.show", {"server": {**shown["server"], "id": "x"}})
    assert wrong("servers.delete", {})
