"""Every view of the audit page, every file of ``--html`` and every page of the site is drawn."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.audit_page.looking import WEB
from tests.browser.conftest import Many, Watched
from tests.browser.pictures import drawn
from tests.browser.test_audit_page import PLACES
from tests.browser.test_screens import SCREENS
from tests.house.imports import ROOT

FILES = {
    "server": ("history", "{server}"),
    "log": ("history", "--limit", "40"),
    "rebuilds": ("report", "rebuilds"),
    "images": ("report", "images"),
    "metadata": ("report", "metadata"),
}


def test_every_view_of_the_audit_page(browser: Any, many: Many, root: str, tmp_path: Path):
    views = {
        f"many-{name.partition('-')[0]}": many.root + screen.place.format(**many.ids)
        for name, screen in SCREENS.items()
    }
    views |= {f"few-{name}": root + place for name, place in PLACES.items() if name != "mishap"}
    views |= {
        "few-then": f"{root}?as_of=2024-01-15",
        "few-none": f"{root}?name=nobody",
        "few-same": f"{root}compare?id={WEB}&from=now&to=now",
        "few-unread": f"{root}ledger",
    }
    assert drawn(browser, views, tmp_path) == []


def test_every_page_that_is_sent_as_a_file(browser: Any, many: Many, tmp_path: Path):
    files = {}
    for name, words in FILES.items():
        page = tmp_path / f"{name}.html"
        asked = [word.format(**many.ids) for word in words]
        command = [sys.executable, "-m", "serverdomain", *asked, "--html", str(page)]
        subprocess.run([*command, "--store", str(many.path)], check=True, capture_output=True)
        files[f"file-{name}"] = page.as_uri()
    assert drawn(browser, files, tmp_path) == []
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="make test-all")
    watched = Watched(browser, bypass_csp=True)
    for name, url in files.items():
        watched.page.goto(url)
        assert axe.Axe().run(watched.page).violations_count == 0, name
    watched.context.close()


def test_a_file_is_walked_through_without_a_script_and_without_a_server(
    browser: Any, many: Many, tmp_path: Path
):
    path = tmp_path / "server.html"
    command = [sys.executable, "-m", "serverdomain", "history", many.ids["server"]]
    command += ["--html", str(path), "--store", str(many.path)]
    subprocess.run(command, check=True, capture_output=True)
    watched = Watched(browser, java_script_enabled=False)
    page = watched.page
    page.goto(f"{path.as_uri()}#version=7")
    shown = page.locator(".one:visible")
    assert "version 7, position" in shown.inner_text()
    shown.get_by_role("link", name="after").focus()
    page.keyboard.press("Enter")
    page.get_by_text("version 8, position").wait_for()
    assert page.locator(".one:visible").count() == 1
    assert len(watched.asked) == 1, "a file asks for nothing"
    watched.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("furo") is None:
        pytest.skip("what builds the site is not installed: make test-all")
    folder = tmp_path_factory.mktemp("site")
    built = [sys.executable, "docs/site/build.py", str(folder)]
    subprocess.run(built, check=True, cwd=ROOT, capture_output=True)
    return folder


def test_every_page_of_the_site(browser: Any, site: Path, tmp_path: Path):
    pages = {
        f"site-{page.relative_to(site).with_suffix('').as_posix().replace('/', '-')}": page.as_uri()
        for page in sorted(site.rglob("*.html"))
    }
    assert drawn(browser, pages, tmp_path) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_site(browser: Any, site: Path, theme: str):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="make test-all")
    watched = Watched(browser, color_scheme=theme)
    for name in ("index", "docs/bounds", "notebooks/04-what-changed", "search"):
        watched.page.goto((site / f"{name}.html").as_uri())
        found = axe.Axe().run(watched.page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    watched.context.close()


def test_the_search_is_used_by_keyboard_offline(browser: Any, site: Path):
    watched = Watched(browser)
    page = watched.page
    page.goto((site / "index.html").as_uri())
    page.get_by_role("textbox", name="Search").fill("keyframe")
    page.keyboard.press("Enter")
    page.get_by_text("matching the search query").wait_for()
    page.locator("#search-results a", has_text="Time travel").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="Time travel").wait_for()
    assert {url.partition(":")[0] for url in watched.asked} == {"file"}
    # Without a server there are no words from the pages found, of which the browser complains.
    watched.context.close()
