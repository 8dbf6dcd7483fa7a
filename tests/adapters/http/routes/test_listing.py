"""Servers listed: which, how many, from where on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from serverdomain.adapters.http.routes.servers import MOST_BYTES
from tests.adapters.http.client import IMAGE, OTHER_IMAGE, SERVER, Endpoint, fault_of

DAY = 86_400_000_000
NAMES = ("web-1", "web-2", "db", "my-web", "^odd$")
WEB = ("web-2", "web-1")


@pytest.fixture(scope="module")
def five() -> Iterator[Endpoint]:
    """Five servers of one project, the later the newer, and one of another."""
    with Endpoint() as endpoint:
        endpoint.servers.delete(SERVER)
        for number, name in enumerate(NAMES):
            endpoint.register(
                f"00000000-0000-4000-8000-00000000000{number}",
                name=name,
                image_id=OTHER_IMAGE if name == "db" else IMAGE,
                state="SHUTOFF" if name == "db" else "ACTIVE",
                created=number * DAY,
            )
        endpoint.register(
            "00000000-0000-4000-8000-000000000009", name="web-9", project_id="elsewhere"
        )
        yield endpoint


def names(endpoint: Endpoint, query: str = "", path: str = "/v2.1/servers", **asked: Any) -> list:
    answer = endpoint.ask.get(f"{path}{query}", **asked)
    assert answer.status_code == 200, answer.text
    return [server["name"] for server in answer.json()["servers"]]


def test_the_newest_comes_first_and_another_projects_not(five: Endpoint) -> None:
    assert names(five) == ["^odd$", "my-web", "db", "web-2", "web-1"]


def test_the_short_list_has_ids_names_and_links(five: Endpoint) -> None:
    server = five.ask.get("/v2/openstack/servers?name=db").json()["servers"][0]

    assert list(server) == ["id", "name", "links"]
    url = f"http://localhost:8774/v2/openstack/servers/{server['id']}"
    assert server["links"][0] == {"href": url, "rel": "self"}


@pytest.mark.parametrize("path", ["/v2.1", "/v2/openstack"])
def test_in_detail_each_is_as_it_is_shown_alone(five: Endpoint, path: str) -> None:
    for server in five.ask.get(f"{path}/servers/detail").json()["servers"]:
        assert {"server": server} == five.ask.get(f"{path}/servers/{server['id']}").json()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=web", ["my-web", "web-2", "web-1"]),
        ("name=^web", ["web-2", "web-1"]),
        ("name=web$", ["my-web"]),
        ("name=^web-1$", ["web-1"]),
        ("name=^web$", []),
        ("name=%5E%5Eodd$$", ["^odd$"]),
        ("name=w.b", []),
        ("name=", ["^odd$", "my-web", "db", "web-2", "web-1"]),
        ("name=$", ["^odd$", "my-web", "db", "web-2", "web-1"]),
        ("status=SHUTOFF", ["db"]),
        ("status=shutoff", ["db"]),
        ("status=BUILD", []),
        ("status=NONSENSE", []),
        (f"image={OTHER_IMAGE}", ["db"]),
        (f"image=http://x/images/{OTHER_IMAGE}", ["db"]),
        ("name=web&status=ACTIVE&limit=1", ["my-web"]),
        ("status=shutoff&status=REBUILD", ["db"]),
        ("status=SHUTOFF&status=NONSENSE", ["db"]),
        ("status=SHUTOFF&status=ACTIVE&name=db&name=odd", ["^odd$", "db"]),
        (f"image={OTHER_IMAGE}&image=http://x/images/{IMAGE}&name=b", ["my-web", "db", *WEB]),
        ("limit=5&limit=1", ["^odd$"]),
        ("limit=0", []),
        ("limit=2", ["^odd$", "my-web"]),
        ("limit=99999999999", ["^odd$", "my-web", "db", "web-2", "web-1"]),
        ("sort_key=name&unknown=1", ["^odd$", "my-web", "db", "web-2", "web-1"]),
        ("all_tenants=0", ["^odd$", "my-web", "db", "web-2", "web-1"]),
    ],
)
def test_what_is_asked_for_is_what_is_found(five: Endpoint, query: str, found: list[str]) -> None:
    assert names(five, f"?{query}") == found
    assert names(five, f"?{query}", "/v2/openstack/servers/detail") == found


@pytest.mark.parametrize("path", ["/v2.1/servers", "/v2/openstack/servers/detail"])
def test_pages_are_followed_by_their_links_to_the_end(five: Endpoint, path: str) -> None:
    url, seen = f"{path}?limit=2&status=ACTIVE", []
    while url:
        page = five.ask.get(url).json()
        seen.append([server["name"] for server in page["servers"]])
        url = page.get("servers_links", [{"href": ""}])[0]["href"]
        assert url.count("marker=") <= 1
        assert url == "" or url.startswith(f"http://localhost:8774{path}?limit=2&status=ACTIVE")

    assert seen == [["^odd$", "my-web"], ["web-2", "web-1"], []]


def test_a_page_goes_on_though_its_marker_was_deleted_meanwhile() -> None:
    with Endpoint() as endpoint:
        for number in range(5):
            endpoint.register(f"00000000-0000-4000-8000-00000000000{number}", name=str(number))
        url, seen = "/v2.1/servers?limit=2", []
        while url:
            page = endpoint.ask.get(url).json()
            for server in page["servers"]:
                seen.append(server["id"])
                assert endpoint.ask("DELETE", f"/v2.1/servers/{server['id']}").status_code == 204
            url = page.get("servers_links", [{"href": ""}])[0]["href"]

    assert [one[-1] for one in seen] == ["4", "3", "2", "1", "0", SERVER[-1]]


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1.0",
        "limit=%D9%A3",
        "marker=x",
        "marker=",
        "marker=00000000-0000-4000-8000-000000000009",
        "marker=%ff",
        "all_tenants=perhaps",
    ],
)
def test_a_limit_or_marker_that_is_none_is_400(five: Endpoint, query: str) -> None:
    answer = five.ask.get(f"/v2.1/servers?{query}")

    assert fault_of(answer) == (400, "badRequest")
    assert answer.json()["badRequest"]["message"].startswith(query.partition("=")[0])


@pytest.mark.parametrize("value", ["1", "true", "True", "", "yes"])
def test_an_administrator_lists_all_with_all_tenants_alone(five: Endpoint, value: str) -> None:
    assert "web-9" not in names(five, user="admin")
    assert "web-9" in names(five, f"?all_tenants={value}", user="admin")
    assert names(five, "?all_tenants=1&project_id=elsewhere", user="admin") == ["web-9"]
    both = "?all_tenants=1&project_id=elsewhere&project_id=openstack"
    assert "web-9" in names(five, both, user="admin") != ["web-9"]
    assert fault_of(five.ask.get(f"/v2.1/servers?all_tenants={value}")) == (403, "forbidden")


@pytest.mark.parametrize("name", ["%00", "%27%20OR%201=1", "%25", "%F0%9F%92%A9", "%ff"])
def test_a_name_is_never_more_than_a_name(five: Endpoint, name: str) -> None:
    assert names(five, f"?name={name}") == []


def test_no_page_holds_more_than_a_thousand() -> None:
    with Endpoint() as endpoint:
        for number in range(1001):
            endpoint.register(f"00000000-0000-4000-8000-{number:012}")
        first = endpoint.ask.get("/v2.1/servers?limit=5000").json()
        rest = endpoint.ask.get(first["servers_links"][0]["href"]).json()

    assert (len(first["servers"]), len(rest["servers"])) == (1000, 2)
    assert "servers_links" not in rest


def test_a_page_of_large_servers_ends_earlier_and_says_where_the_next_begins() -> None:
    full = {f"{number:0255}": "\x01" * 255 for number in range(128)}
    with Endpoint() as endpoint:
        endpoint.servers.delete(SERVER)
        for number in range(30):
            name = f"{number:02}"
            server_id = f"00000000-0000-4000-8000-0000000000{number:02}"
            endpoint.register(server_id, name=name, metadata=full, created=-number * DAY)
        seen: list[str] = []
        url = "/v2.1/servers/detail?limit=29"
        sizes = []
        while url:
            answer = endpoint.ask.get(url)
            page = answer.json()
            sizes.append(len(answer.content))
            seen += [server["name"] for server in page["servers"]]
            links = page.get("servers_links", [])
            url = links[0]["href"].removeprefix("http://localhost:8774") if links else ""
        assert seen == [f"{number:02}" for number in range(30)]
        assert len(sizes) == 2
        assert MOST_BYTES < sizes[0] < 1.2 * MOST_BYTES
