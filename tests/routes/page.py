"""docs/routes.md, from the table of routes, what is said of each, and what the tests got."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from serverdomain.adapters.http.routes.table import NAMES, ROUTES
from tests.house.imports import ROOT
from tests.routes.recording import Shown
from tests.schemas.nova import EXEMPT, SCHEMAS

PAGE = ROOT / "docs/routes.md"
TESTS = "tests/adapters/http"
FLOWS = "tests/flows/test_flows.py"
DOCUMENTS = ("versions.list", "versions.v2", "versions.v2.1")

_INTRODUCTION = """\
# Routes, and what shows them

This is the list of routes: what of each is Nova's, what is not, and which tests show it.
`make routes` runs those tests and writes this page. A status is listed because a passing test got
it as an answer, and a file because tests in it called the route. *Flows* counts the recorded
exchanges with Nova, played over HTTP, that use the route. *Nova's schema* is the one that Nova
34.0 checks its own answer with at 2.1: `make schemas` calls every route on `/v2.1`, for servers in
every status, and each answer passes it. `tests/clients` calls the same routes with real clients,
and `make tempest` with Tempest. What holds for all routes is in [endpoint.md](endpoint.md).

"""
_COLUMNS = (
    *("route", "call", "Nova's", "not Nova's", "answered in tests"),
    *("Nova's schema", "shown by, in `tests/adapters/http`", "flows"),
)


class Said(NamedTuple):
    """What is said of a route."""

    nova: str
    ours: str
    shown_by: list[str]
    call: str = ""


def said() -> dict[str, Said]:
    """What is said of every route, by its name."""
    text = Path(__file__).with_name("nova.toml").read_text("utf-8")
    return {name: Said(**members) for name, members in tomllib.loads(text).items()}


def names() -> list[str]:
    """The name of every row, in order: the version documents, then every name of a call."""
    return [*DOCUMENTS, *NAMES]


def those_that_show() -> list[str]:
    """The tests that are run for the page."""
    files = {
        f"{TESTS}/{shown.partition('::')[0]}" for one in said().values() for shown in one.shown_by
    }
    return [*sorted(files), FLOWS]


def page(shown: Shown) -> str:
    """The page, given what the tests showed. Fails if they do not show what is said of a route."""
    told = said()
    heading = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"
    return (
        _INTRODUCTION
        + heading
        + "".join(_row(name, told[name], shown.get(name, {})) for name in names())
    )


def _row(name: str, told: Said, shown: dict[str, list[int]]) -> str:
    by = {
        one: {test: came for test, came in shown.items() if test.startswith(f"{TESTS}/{one}")}
        for one in told.shown_by
    }
    for one, tests_there in by.items():
        assert tests_there, f"{name}: nothing in {one} asked for it"
    statuses = sorted(
        {status for tests_there in by.values() for came in tests_there.values() for status in came}
    )
    assert name == "servers.action" or statuses[0] < 300, f"{name}: no test saw it succeed"
    flows = sum(test.startswith(FLOWS) for test in shown)
    cells = (
        f"`{name}`",
        _call(name, told),
        told.nova,
        told.ours,
        ", ".join(map(str, statuses)),
        _schema(name),
        ", ".join(f"`{one}`" for one in by),
        str(flows or ""),
    )
    return f"| {' | '.join(cells)} |\n"


def _schema(name: str) -> str:
    exempt = f", but for `{EXEMPT[name]}`" if name in EXEMPT else ""
    return f"`{SCHEMAS[name]}`{exempt}" if name in SCHEMAS else ""


def _call(name: str, told: Said) -> str:
    if told.call:
        return f"`{told.call}`"
    for route in ROUTES:
        if route.name == name:
            action = f" `{route.action}`" if route.action else ""
            return f"`{route.method} {route.path}`{action}"
    return "`POST servers/{server_id}/action`, any other"
