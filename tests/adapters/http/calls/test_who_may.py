"""Who may do what: the caller's project, a reader, an administrator, and nobody."""

from __future__ import annotations

from typing import Any

import pytest

from serverdomain import Actor
from tests.adapters.http.client import (
    ACTORS,
    IMAGE,
    OTHER_IMAGE,
    SERVER,
    Client,
    Endpoint,
    by_name,
    fault_of,
)

ELSEWHERE = "00000000-0000-4000-8000-000000000001"
REBUILD = {"rebuild": {"imageRef": IMAGE}}


@pytest.fixture
def two(endpoint: Endpoint) -> Endpoint:
    """A second server, in a project named elsewhere."""
    endpoint.register(ELSEWHERE, project_id="elsewhere")
    return endpoint


@pytest.mark.parametrize("user", ["nobody", ""])
def test_without_a_known_token_nothing_is_told(user: str) -> None:
    with Endpoint() as endpoint:
        stranger = Client(endpoint.app)

        answer = stranger.get(f"/v2.1/servers/{SERVER}", user=user)

        assert fault_of(answer) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Keystone"
        stranger.close()


def test_a_hook_may_be_a_coroutine_function() -> None:
    async def later(request: Any) -> Actor | None:
        return by_name(request)

    with Endpoint(authenticate=later) as endpoint:
        assert endpoint.ask.get("/v2.1/servers").status_code == 200
        assert endpoint.ask("GET", "/v2.1/servers", user="x").status_code == 401


def test_a_hook_sees_the_project_that_the_path_names() -> None:
    seen = []

    def hook(request: Any) -> Actor:
        seen.append(request.path_params["project"])
        return ACTORS["member"]

    with Endpoint(authenticate=hook) as endpoint:
        for path in ("/v2/openstack/servers", "/v2.1/servers", "/v2.1/else/servers"):
            endpoint.ask.get(path)

    assert seen == ["openstack", None, "else"]


@pytest.mark.parametrize("user", ["member", "admin"])
@pytest.mark.parametrize("path", [f"/v2/elsewhere/servers/{ELSEWHERE}", "/v2.1/elsewhere/servers"])
def test_a_path_of_another_project_is_400(two: Endpoint, user: str, path: str) -> None:
    answer = two.ask.get(path, user=user)

    assert fault_of(answer) == (400, "badRequest")
    assert answer.json()["badRequest"]["message"] == (
        "Malformed request URL: its project 'elsewhere' is not the caller's, 'openstack'"
    )


CALLS = [
    ("GET", "", None),
    ("PUT", "", {"server": {"name": "n"}}),
    ("DELETE", "", None),
    ("POST", "/action", REBUILD),
    ("POST", "/action", {"lock": None}),
    ("POST", "/action", {"unlock": None}),
    ("POST", "/action", {"os-stop": None}),
    ("POST", "/action", {"os-start": None}),
    ("GET", "/metadata", None),
    ("POST", "/metadata", {"metadata": {"a": "b"}}),
    ("PUT", "/metadata", {"metadata": {"a": "b"}}),
    ("GET", "/metadata/a", None),
    ("PUT", "/metadata/a", {"meta": {"a": "b"}}),
    ("DELETE", "/metadata/a", None),
    ("GET", "/os-instance-actions", None),
    ("GET", "/os-instance-actions/req-1", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_another_projects_server_is_not_there(
    two: Endpoint, method: str, path: str, body: Any
) -> None:
    answer = two.ask(method, f"/v2.1/servers/{ELSEWHERE}{path}", json=body)

    assert fault_of(answer) == (404, "itemNotFound")
    assert two.servers.get(ELSEWHERE).version == 1


def test_an_administrator_reaches_any_server_by_its_id(two: Endpoint) -> None:
    shown = two.ask.get(f"/v2.1/servers/{ELSEWHERE}", user="admin")
    rebuilt = two.ask.act(REBUILD, ELSEWHERE, user="admin")

    assert shown.json()["server"]["tenant_id"] == "elsewhere"
    assert rebuilt.status_code == 202


@pytest.mark.parametrize(("method", "path", "body"), [call for call in CALLS if call[0] != "GET"])
def test_a_reader_reads_and_may_not_act(
    endpoint: Endpoint, method: str, path: str, body: Any
) -> None:
    answer = endpoint.ask(method, f"/v2.1/servers/{SERVER}{path}", json=body, user="reader")

    assert fault_of(answer) == (403, "forbidden")
    assert endpoint.ask.get(f"/v2.1/servers/{SERVER}", user="reader").status_code == 200


def test_a_reader_may_not_create(ask: Client) -> None:
    body = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "1"}}

    assert fault_of(ask("POST", "/v2.1/servers", json=body, user="reader")) == (403, "forbidden")


def test_only_an_administrator_resets_a_state(ask: Client) -> None:
    action = {"os-resetState": {"state": "error"}}

    assert fault_of(ask.act(action)) == (403, "forbidden")
    assert ask.act(action, user="admin").status_code == 202
    assert ask.get(f"/v2.1/servers/{SERVER}").json()["server"]["status"] == "ERROR"


# Nova's order of refusal: each pair breaks two rules, and the one in front is told.

ANOTHER_VERSION = {"OpenStack-API-Version": "compute 2.90"}
NOT_JSON = {"content": b"{", "headers": {"Content-Type": "application/json"}}
NO_TYPE = {"content": b"{", "headers": {"Content-Type": "text/html"}}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({**NOT_JSON, "user": "nobody"}, (401, "who before what")),
        (
            {**NO_TYPE, "headers": NO_TYPE["headers"] | ANOTHER_VERSION},
            (406, "version before type"),
        ),
        (NO_TYPE, (415, "type before JSON")),
        ({**NOT_JSON, "project": "elsewhere"}, (400, "is no JSON")),
        ({"json": {"reboot": {}}, "project": "elsewhere"}, (400, "no action")),
        ({"json": "r", "project": "elsewhere"}, (404, "JSON's action before the project")),
        ({"json": {"rebuild": {}}, "project": "elsewhere"}, (400, "project")),
        ({"json": {"rebuild": {}}, "server": ELSEWHERE[:-1] + "9"}, (400, "imageRef")),
        ({"json": {"rebuild": {}}, "user": "reader"}, (400, "imageRef")),
        ({"json": REBUILD, "server": ELSEWHERE, "user": "reader"}, (404, "server before role")),
        ({"json": REBUILD, "user": "reader", "locked": True}, (403, "role before lock")),
        ({"json": REBUILD, "locked": True, "under_way": True}, (409, "is locked")),
        ({"json": {"rebuild": {"imageRef": OTHER_IMAGE}}, "under_way": True}, (409, "REBUILD")),
        (
            {
                "json": {
                    "rebuild": {
                        "imageRef": OTHER_IMAGE,
                        "metadata": dict.fromkeys(map(str, range(129)), ""),
                    }
                }
            },
            (400, "is unknown"),
        ),
    ],
)
def test_refusals_come_in_novas_order(asked: dict, expected: tuple[int, str]) -> None:
    asked = dict(asked)
    with Endpoint(images={IMAGE: "known"}) as endpoint:
        endpoint.register(ELSEWHERE, project_id="elsewhere")
        if asked.pop("under_way", False):
            endpoint.ask.act(REBUILD)
        if asked.pop("locked", False):
            endpoint.ask.act({"lock": None})
        project, server = asked.pop("project", "openstack"), asked.pop("server", SERVER)

        answer = endpoint.ask("POST", f"/v2.1/{project}/servers/{server}/action", **asked)

        status, words = expected
        assert answer.status_code == status, answer.text
        if status in (400, 409):
            assert words in answer.text
