"""A browser, and the page it looks at; where there is no browser, these tests say so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

import pytest

from serverdomain import Servers
from serverdomain.adapters.audit_page import audit_app
from serverdomain.adapters.http import NoAuthentication
from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log
from tests.adapters.audit_page.looking import clock, told
from tests.adapters.http.real import serving

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""So that it runs as root, in a machine without a screen, and asks nobody outside of it."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: make test-all")
    found = os.environ.get("CHROMIUM") or which("chromium") or which("google-chrome")
    if found is None:
        pytest.skip("no browser: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The small cloud with a past, which its tests only look at."""
    now = clock()
    folder = tmp_path_factory.mktemp("cloud")
    with Servers.open(folder / "cloud.db", clock=now) as servers:
        told(servers, now)
        yield servers


@pytest.fixture(scope="module")
def root(cloud: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where its page is served."""
    folder: Path = tmp_path_factory.mktemp("ledger")
    cloud.ledger.checkpoint(folder / "key", folder / "note")
    app = audit_app(
        cloud,
        authenticate=NoAuthentication(admin=True),
        endpoint="http://127.0.0.1:8774",
        checkpoint=folder / "note",
        keys=[folder / "key.pub"],
    )
    with serving(app) as (host, port):
        yield f"http://{host}:{port}/"
        app.end()


class Many(NamedTuple):
    """A made-up fleet of three years: its file, where it is served, and what is shown of it."""

    path: Path
    root: str
    ids: dict[str, str]


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    folder = tmp_path_factory.mktemp("fleet")
    path = folder / "cloud.db"
    with closing(open_log(str(path))) as log:
        generate(log, 120, seed=1)
    with Servers.open(path) as servers:
        servers.ledger.checkpoint(folder / "key", folder / "note")
        most = max(servers.list(), key=lambda server: (server.version, server.id))
        asked = next(one for one in servers.history(most.id) if one.name == "RebuildRequested")
        app = audit_app(
            servers,
            authenticate=NoAuthentication(admin=True),
            endpoint="http://127.0.0.1:8774",
            checkpoint=folder / "note",
            keys=[folder / "key.pub"],
        )
        with serving(app) as (host, port):
            ids = {"server": most.id, "request": asked.request_id}
            yield Many(path, f"http://{host}:{port}/", ids)
            app.end()


class Watched:
    """A page of the browser, and all that went wrong in it."""

    def __init__(self, browser: Any, **given: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}} | given)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda said: self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.wrong.append("a dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def close(self) -> None:
        self.context.close()
        assert self.wrong == []


@pytest.fixture
def watched(browser: Any) -> Iterator[Watched]:
    watched = Watched(browser)
    yield watched
    watched.close()
