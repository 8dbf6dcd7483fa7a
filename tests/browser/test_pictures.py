"""Every view of the audit page, every file of ``--html`` and every page of the site is drawn."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.audit_page.looking import WEB
from tests.browser.conftest import Many
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


@pytest.mark.skipif(find_spec("furo") is None, reason="what builds the site is not installed")
def test_every_page_of_the_site(browser: Any, tmp_path: Path):
    site = tmp_path / "site"
    built = [sys.executable, "docs/site/build.py", str(site)]
    subprocess.run(built, check=True, cwd=ROOT, capture_output=True)
    pages = {
        f"site-{page.relative_to(site).with_suffix('').as_posix().replace('/', '-')}": page.as_uri()
        for page in sorted(site.rglob("*.html"))
    }
    assert drawn(browser, pages, tmp_path) == []
