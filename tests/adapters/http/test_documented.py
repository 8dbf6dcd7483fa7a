"""docs/endpoint.md names every route and every fault."""

from __future__ import annotations

import re

from serverdomain.adapters.http.faults import NAMES
from serverdomain.adapters.http.routes import ROUTES, UNKNOWN_ACTION
from tests.house.imports import ROOT

PAGE = (ROOT / "docs/endpoint.md").read_text("utf-8")


def test_every_route_is_named_in_the_table_and_no_other() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([\w.]+)`", row)]

    assert sorted(named) == sorted(route.name for route in ROUTES)
    assert f"`{UNKNOWN_ACTION}`" in PAGE


def test_every_fault_that_is_answered_is_named() -> None:
    # 429 and 501 are Nova's; nothing here answers them.
    answered = {name for status, name in NAMES.items() if status not in (429, 501)}

    assert {name for name in answered if f"`{name}`" not in PAGE} == set()
