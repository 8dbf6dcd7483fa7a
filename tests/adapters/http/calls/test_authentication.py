"""Without tokens: everybody on this machine, and nobody's web page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.requests import Request

from serverdomain import Actor
from serverdomain.adapters.http import NoAuthentication
from serverdomain.adapters.http.calls.answers import CallFault
from serverdomain.adapters.http.calls.authentication import is_this_machine
from tests.adapters.http.client import IMAGE, SERVER, Client, Endpoint, fault_of


@pytest.fixture
def open_endpoint() -> Iterator[Endpoint]:
    with Endpoint(authenticate=None) as endpoint:
        yield endpoint


def test_the_paths_project_is_the_callers(open_endpoint: Endpoint) -> None:
    open_endpoint.register("00000000-0000-4000-8000-000000000001", project_id="elsewhere")

    found = open_endpoint.ask.get("/v2/elsewhere/servers").json()["servers"]

    assert [server["id"] for server in found] == ["00000000-0000-4000-8000-000000000001"]


@pytest.mark.parametrize("project", ["mine", "another"])
@pytest.mark.parametrize(("admin", "more"), [(False, ()), (True, ("admin",))])
def test_a_caller_is_a_member_of_the_project(
    project: str, admin: bool, more: tuple[str, ...]
) -> None:
    request = Request({"type": "http", "headers": [], "path_params": {"project": project}})

    caller = NoAuthentication("mine", admin=admin)(request)

    assert caller == Actor("user", project, ("reader", "member", *more))


def test_a_path_without_a_project_means_the_given_one(open_endpoint: Endpoint) -> None:
    body = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "1"}}
    with Endpoint(authenticate=NoAuthentication("mine")) as mine:
        created = mine.ask("POST", "/v2.1/servers", json=body).json()["server"]["id"]
        assert mine.servers.get(created).project_id == "mine"

    assert open_endpoint.ask.get(f"/v2.1/servers/{SERVER}").status_code == 200


def test_the_caller_is_an_administrator_only_if_told_so(open_endpoint: Endpoint) -> None:
    reset = {"os-resetState": {"state": "error"}}
    with Endpoint(authenticate=NoAuthentication(admin=True)) as admin:
        assert admin.ask.act(reset).status_code == 202
        assert admin.ask.get("/v2/other/servers?all_tenants=1").json()["servers"] != []

    assert open_endpoint.ask.act(reset).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8774", "127.0.0.1:8774", "127.3.2.1", "[::1]:8774", "[::1]"],
)
def test_a_host_that_is_this_machine_may_ask(open_endpoint: Endpoint, host: str) -> None:
    assert is_this_machine(host)
    assert open_endpoint.ask.get("/v2.1/servers", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "10.0.0.1",
        "0.0.0.0",
        "[::]",
        "[::ffff:10.0.0.1]",
        "localhost:8774:1",
        "localhost:x",
        "",
        "2130706433",
        "user@localhost",
        "localhost/",
    ],
)
def test_another_host_is_403(open_endpoint: Endpoint, host: str) -> None:
    assert not is_this_machine(host)
    for path in ("/v2.1/servers", "/v2/", "/", "/openapi.json"):
        answer = open_endpoint.ask.get(path, headers={"Host": host})
        assert fault_of(answer) == (403, "forbidden")
        assert answer.json()["forbidden"]["message"].startswith(f"Host: '{host}' came, ")


def test_a_host_is_looked_at_up_to_255_characters() -> None:
    assert is_this_machine("localhost" + 246 * ".")
    assert not is_this_machine("localhost" + 247 * ".")


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com",
        "null",
        "http://localhost:3000",
        "http://127.0.0.1:8774",
        "",
        # It begins, or ends, as ours does.
        "http://localhost:8774.evil",
        "http://localhost:87745",
        "http://localhost:8774/",
        "http://evil.localhost:8774",
        "http://evil://localhost:8774",
    ],
)
def test_a_foreign_origin_is_403_and_nothing_happens(open_endpoint: Endpoint, origin: str) -> None:
    answer = open_endpoint.ask(
        "POST",
        f"/v2.1/servers/{SERVER}/action",
        content=b'{"lock": null}',
        headers={"Origin": origin, "Content-Type": "text/plain"},
    )

    assert fault_of(answer) == (403, "forbidden")
    said = f"Origin: '{origin}' came, pages of 'localhost:8774' may ask"
    assert answer.json()["forbidden"]["message"] == said
    assert open_endpoint.servers.get(SERVER).locked_by is None


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_an_origin_without_a_host_is_foreign(origin: str) -> None:
    with pytest.raises(CallFault, match="Origin"):
        NoAuthentication().guard({"origin": origin})


def test_the_endpoints_own_origin_may_ask(open_endpoint: Endpoint) -> None:
    headers = {"Origin": "http://localhost:8774"}

    assert open_endpoint.ask.get("/v2.1/servers", headers=headers).status_code == 200


def test_a_project_of_over_255_characters_is_400(open_endpoint: Endpoint) -> None:
    assert fault_of(open_endpoint.ask.get(f"/v2/{'p' * 256}/servers")) == (400, "badRequest")


def test_a_client_that_sends_no_host_may_ask(open_endpoint: Endpoint) -> None:
    client = Client(without_host(open_endpoint.app))

    server = client.get(f"/v2.1/servers/{SERVER}").json()["server"]

    assert server["links"][0]["href"] == f"http://localhost:8774/v2.1/servers/{SERVER}"
    client.close()


def without_host(app):
    async def asked(scope, receive, send):
        headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
        await app({**scope, "headers": headers, "server": ("localhost", 8774)}, receive, send)

    return asked
