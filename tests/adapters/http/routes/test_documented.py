"""docs/endpoint.md names every fault, and leaves the list of routes to docs/routes.md."""

from __future__ import annotations

import re

from serverdomain.adapters.http.calls.answers import NAMES
from serverdomain.adapters.http.routes.table import ROUTES, UNKNOWN_ACTION
from tests.house.imports import ROOT

PAGE = (ROOT / "docs/endpoint.md").read_text("utf-8")
LIST = (ROOT / "docs/routes.md").read_text("utf-8")


def test_every_route_has_one_row_on_the_page_of_routes_and_none_here() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", LIST, re.MULTILINE)
    below_a_project = [name for name in rows if not name.startswith("versions.")]

    assert sorted(below_a_project) == sorted([*(route.name for route in ROUTES), UNKNOWN_ACTION])
    assert f"`{UNKNOWN_ACTION}`" in PAGE
    assert re.findall(r"^\|", PAGE, re.MULTILINE) == []


def test_every_fault_that_is_answered_is_named() -> None:
    # 429 and 501 are Nova's; nothing here answers them.
    answered = {name for status, name in NAMES.items() if status not in (429, 501)}

    assert {name for name in answered if f"`{name}`" not in PAGE} == set()
