"""The pages for people: what is where, every route, nothing foreign, and text that stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from serverdomain.adapters.http.control.panel import ControlPanel
from serverdomain.adapters.http.control.simulation import Simulation
from serverdomain.adapters.http.routes import reference
from serverdomain.adapters.http.routes.table import ROUTES
from serverdomain.servers import Servers
from tests.adapters.http.client import Client, Endpoint, fault_of

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def controlled() -> Iterator[Client]:
    with Servers.open("memory:") as servers:
        control = ControlPanel(Simulation(servers))
        with Endpoint(authenticate=None, control=control) as endpoint:
            yield endpoint.ask


class Reader(HTMLParser):
    """What a page holds: its tags with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def links(self) -> list[str]:
        return [str(attributes["href"]) for tag, attributes in self.tags if tag == "a"]


def read(answer: httpx.Response) -> Reader:
    """A page, as far as a browser would show it."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    (style,) = re.findall("<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    found = Reader(answer.text)
    assert {tag for tag, _ in found.tags} & {"script", "img", "link", "iframe", "form"} == set()
    assert not any(name.startswith("on") for _, given in found.tags for name in given)
    assert not any("style" in given or "src" in given for _, given in found.tags)
    return found


def test_the_first_page_says_what_this_is_and_where_things_are(controlled: Client) -> None:
    found = read(controlled.get("/", headers=HTML))

    here = "http://localhost:8774"
    assert found.links == [
        f"{here}{path}" for path in ("/v2.1/", "/v2/", "/docs", "/openapi.json", "/control")
    ]
    for link in found.links:
        assert controlled.get(link).status_code == 200
    assert f"export OS_ENDPOINT={here}/v2.1" in found.text
    assert "It asks nobody for a token" in found.text


def test_it_knows_whether_there_is_a_control_and_who_needs_a_token(ask: Client) -> None:
    found = read(ask.get("/", headers=HTML))

    assert not any(link.endswith("/control") for link in found.links)
    assert 'admin_token OS_TOKEN="$OS_TOKEN"' in found.text
    assert "It asks every caller for a token" in found.text


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "text/html;q=0", "text/html;q=0.0", "text/*", "html"]
)
def test_whoever_asks_for_no_html_gets_the_versions(ask: Client, accept: str) -> None:
    answer = ask.get("/", headers={"Accept": accept})

    assert set(answer.json()) == {"versions"}
    assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize("accept", ["text/html", "TEXT/HTML;level=1", "a/b, text/html;q=0.1"])
def test_whoever_names_html_gets_the_page(ask: Client, accept: str) -> None:
    assert read(ask.get("/", headers={"Accept": accept})).text
    # Only where there is a page: the rest is as for everybody.
    assert set(ask.get("/v2.1/", headers={"Accept": accept}).json()) == {"version"}


def test_the_reference_shows_every_route_and_every_schema(ask: Client) -> None:
    found = read(ask.get("/docs"))

    for route in ROUTES:
        path = route.path.replace("{item}", "{item}")
        assert f"{route.method} /v2.1/{path}" in found.text
    described = ask.get("/openapi.json").json()["components"]["schemas"]
    ids = {given["id"] for _, given in found.tags if "id" in given}
    assert ids == {f"schema-{name}" for name in described}
    anchors = {link.removeprefix("#") for link in found.links if link.startswith("#")}
    assert anchors
    assert anchors <= ids
    assert ask.get("/docs", headers={"Accept": "application/json"}).text == ask.get("/docs").text
    assert fault_of(ask("POST", "/docs")) == (405, "badMethod")
    assert ask("HEAD", "/docs").content == b""


def test_the_reference_is_made_once_and_has_the_links_of_who_asks(ask: Client) -> None:
    for host in ("one.example", "two.example"):
        page = ask.get("/docs", headers={"Host": host}).text
        assert set(re.findall(r"//(\w+\.example)", page)) == {host}
    assert reference._whole() is reference._whole()


def test_what_is_shown_is_text_whatever_it_is() -> None:
    evil = 'http://x/"><script>alert(1)</script>'
    with Endpoint(endpoint=evil) as endpoint:
        for path in ("/", "/docs"):
            found = read(endpoint.ask.get(path, headers=HTML))
            assert any(link.startswith(evil) for link in found.links)


def test_the_control_lists_what_it_takes(controlled: Client) -> None:
    for path in ("/control", "/control/"):
        listed = controlled.get(path).json()["control"]
        assert [f"{one['method']} {one['path']}" for one in listed] == [
            "GET /control/faults",
            "POST /control/faults",
            "DELETE /control/faults",
            "DELETE /control/faults/{id}",
            "GET /control/clock",
            "POST /control/clock",
            "POST /control/reset",
            "GET /control/requests",
        ]
        taken = {one["path"]: one["body"]["properties"].keys() for one in listed if "body" in one}
        assert {"rebuild", "route", "delay"} <= taken["/control/faults"]
        assert taken["/control/clock"] == {"advance", "now"}
    for one in listed:
        path = one["path"].replace("{id}", "x")
        json = {"advance": 0} if "clock" in path else {"route": "servers.list", "drop": "after"}
        answer = controlled(one["method"], path, json=json if "body" in one else None)
        assert answer.status_code in (200, 201, 204, 409) or path.endswith("/x")
        assert fault_of(controlled("PATCH", path)) == (405, "badMethod")
    assert fault_of(controlled("POST", "/control")) == (405, "badMethod")
    assert fault_of(controlled.get("/controls")) == (404, "itemNotFound")
