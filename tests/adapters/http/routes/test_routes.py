"""Which paths there are, and what is said of those that are not."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from serverdomain.adapters.http.routes.table import NAMES, ROUTES
from tests.adapters.http.client import SERVER, Client, Endpoint, fault_of


@pytest.mark.parametrize(
    "path",
    [
        f"/v2/openstack/servers/{SERVER}",
        f"/v2.1/servers/{SERVER}",
        f"/v2.1/openstack/servers/{SERVER}",
        f"/v2.1/openstack//servers/{SERVER}/",
    ],
)
def test_a_server_is_found_on_every_path(ask: Client, path: str) -> None:
    answer = ask.get(path)

    assert answer.status_code == 200
    server = answer.json()["server"]
    assert server["id"] == SERVER
    assert server["links"][0]["href"] == f"http://localhost:8774{path}".replace(
        "openstack//", "openstack/"
    ).rstrip("/")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/openstack",
        "/v2.1/openstack",
        "/v2/openstack/",
        "/v2/servers/detail",
        "/v3",
        "/v2.1/openstack/volumes",
        f"/v2.1/servers/{SERVER}/nothing",
        f"/v2.1/servers/{SERVER}/metadata/a/b",
        "/v2.1/servers/{server_id}",
        "/v2.1/images/{item}/x",
        "/control/faults",
        "/favicon.ico",
    ],
)
def test_a_path_that_leads_nowhere_is_404(ask: Client, path: str) -> None:
    assert fault_of(ask.get(path)) == (404, "itemNotFound")


@pytest.mark.parametrize("resource", ["servers", "images", "flavors"])
def test_on_v2_1_a_resource_is_never_a_project(ask: Client, resource: str) -> None:
    assert ask.get(f"/v2.1/{resource}").status_code == 200
    assert ask.get(f"/v2.1/{resource}/detail").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/v2.1/servers", {"GET", "POST"}),
        ("POST", f"/v2.1/servers/{SERVER}", {"GET", "PUT", "DELETE"}),
        ("GET", f"/v2.1/servers/{SERVER}/action", {"POST"}),
        ("DELETE", "/v2/openstack/flavors/1", {"GET"}),
        ("OPTIONS", f"/v2.1/servers/{SERVER}/metadata", {"GET", "POST", "PUT"}),
    ],
)
def test_another_method_is_405_and_says_which_are_allowed(
    ask: Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = ask(method, path)

    assert fault_of(answer) == (405, "badMethod")
    assert set(answer.headers["allow"].split(", ")) == allowed


def test_head_is_get_without_its_body(ask: Client) -> None:
    answer = ask("HEAD", f"/v2.1/servers/{SERVER}")

    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 500


def test_a_project_may_be_any_one_segment(endpoint: Endpoint) -> None:
    answer = endpoint.ask.get("/v2/a%2Fb%20%C3%A9/servers", user="odd")

    assert answer.status_code == 200


def test_a_path_that_is_no_utf_8_is_400(ask: Client) -> None:
    assert fault_of(ask.get("/v2/%ff/servers")) == (400, "badRequest")


def test_links_begin_with_the_place_where_the_app_is_mounted(endpoint: Endpoint) -> None:
    mounted = Client(Starlette(routes=[Mount("/compute", endpoint.app)]), user="member")

    server = mounted.get(f"/compute/v2.1/servers/{SERVER}").json()["server"]

    assert server["links"] == [
        {"href": f"http://localhost:8774/compute/v2.1/servers/{SERVER}", "rel": "self"},
        {"href": f"http://localhost:8774/compute/servers/{SERVER}", "rel": "bookmark"},
    ]
    mounted.close()


def test_links_begin_with_the_endpoint_where_one_was_given() -> None:
    with Endpoint(endpoint="https://openstack.example.com/") as endpoint:
        server = endpoint.ask.get(f"/v2.1/servers/{SERVER}").json()["server"]

    assert server["links"][0]["href"] == f"https://openstack.example.com/v2.1/servers/{SERVER}"


def test_links_begin_with_the_scheme_and_host_of_the_request(endpoint: Endpoint) -> None:
    there = Client(endpoint.app, base_url="https://cloud.example.com:8443", user="member")

    server = there.get(f"/v2.1/servers/{SERVER}").json()["server"]

    assert server["links"][0]["href"] == f"https://cloud.example.com:8443/v2.1/servers/{SERVER}"
    there.close()


def test_a_host_that_is_none_is_400(ask: Client) -> None:
    answer = ask.get(f"/v2.1/servers/{SERVER}", headers={"Host": 'a"/b'})

    assert fault_of(answer) == (400, "badRequest")


def test_every_route_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(ROUTES) + 1
