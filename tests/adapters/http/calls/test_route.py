"""Where a path leads, and whether an answer is for people."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import Response

from serverdomain.adapters.http.calls.route import Route, Table, wants_page


def never(*_: Any) -> Response:
    raise AssertionError("nobody is asked")


def route(name: str, path: str, method: str = "GET", action: str | None = None) -> Route:
    return Route(name, method, path, never, action)


ROUTES = [
    route("list", "servers"),
    route("create", "servers", "POST"),
    route("detail", "servers/detail"),
    route("show", "servers/{server_id}"),
    route("stop", "servers/{server_id}/action", "POST", "os-stop"),
    route("start", "servers/{server_id}/action", "POST", "os-start"),
    route("item", "servers/{server_id}/metadata/{item}"),
    route("flavor", "flavors/{item}"),
]


def found(path: str) -> tuple[Any, ...] | None:
    """The API, the project, the server, the item, and the names of the routes there."""
    resource = Table(ROUTES).find(path.split("/"))
    if resource is None:
        return None
    names = [one.name for choices in resource.methods.values() for one in choices.values()]
    return (*resource[:4], names)


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("v2.1/servers", ("v2.1", None, None, None, ["list", "create"])),
        ("v2.1/p/servers", ("v2.1", "p", None, None, ["list", "create"])),
        ("v2/p/servers", ("v2", "p", None, None, ["list", "create"])),
        ("v2/servers/servers", ("v2", "servers", None, None, ["list", "create"])),
        ("v2.1/servers/detail", ("v2.1", None, None, None, ["detail"])),
        ("v2.1/servers/s", ("v2.1", None, "s", None, ["show"])),
        ("v2.1/servers/{server_id}", ("v2.1", None, "{server_id}", None, ["show"])),
        ("v2.1/servers/s/action", ("v2.1", None, "s", None, ["stop", "start"])),
        ("v2.1/servers/s/metadata/a", ("v2.1", None, "s", "a", ["item"])),
        ("v2.1/flavors/{item}", ("v2.1", None, None, "{item}", ["flavor"])),
        ("v2.1/p/flavors/1", ("v2.1", "p", None, "1", ["flavor"])),
    ],
)
def test_a_path_leads_to_its_routes(path: str, leads_to: tuple[Any, ...]) -> None:
    assert found(path) == leads_to


@pytest.mark.parametrize(
    "path",
    [
        "v3/servers",
        "v2/servers",
        "v2.1/p",
        "v2.1/flavors",
        "v2.1/servers/s/metadata",
        "v2.1/servers/s/nothing",
        "v2.1/servers/s/metadata/a/b",
        "v2.1/servers/detail/action",
    ],
)
def test_any_other_leads_nowhere(path: str) -> None:
    assert found(path) is None


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        ("text/html", True),
        ("application/json, Text/HTML ; charset=utf-8;q=0.1", True),
        ("text/html;q=1", True),
        ("text/html;q=0", False),
        ("text/html; q=0.000, text/html;q=0.5", True),
        ("text/html;level=0", True),
        ("*/*", False),
        ("text/*", False),
        ("", False),
    ],
)
def test_a_page_is_for_who_names_html(accept: str, wants: bool) -> None:
    assert wants_page(accept) is wants
