"""The site is built without a warning, loads nothing foreign, and can be searched offline."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import serverdomain
from tests.house.imports import ROOT
from tests.notebooks.sources import SOURCES
from tests.site.browser import in_a_browser

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, ("sphinx", "furo", "myst_parser", "matplotlib"))),
    reason="what builds the site is not installed: make docs-test",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "docs/site/build.py", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (built.returncode, built.stderr) == (0, "")
    return folder


class Page(HTMLParser):
    """What a page loads, where it leads, and what its links can lead to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.anchors: set[str] = set()
        self.silent: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.leads.append(given["href"])
        elif tag == "link" and given.get("rel") not in ("canonical", "author", "license"):
            self.loads.append(given.get("href", ""))
        if "src" in given:
            self.loads.append(given["src"])
        if "srcset" in given:
            self.loads += [one.split()[0] for one in given["srcset"].split(",")]
        if tag == "img" and not given.get("alt"):
            self.silent.append(given.get("src", ""))


def pages(site: Path) -> Iterator[tuple[Path, Page]]:
    for path in sorted(site.rglob("*.html")):
        yield path, Page(path)


def test_every_page_and_every_public_name_is_there(site: Path) -> None:
    there = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")}
    wanted = {path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.glob("docs/*.md")}
    wanted |= {
        path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.glob("docs/adr/*.md")
    }
    wanted |= {f"notebooks/{source.stem}" for source in SOURCES}
    assert {*wanted, "index", "CONTRIBUTING", "CHANGELOG", "reference", "search"} <= there
    anchors = Page(site / "reference.html").anchors
    assert [name for name in serverdomain.__all__ if f"serverdomain.{name}" not in anchors] == []


def test_every_link_inside_the_site_leads_to_a_place_that_is_there(site: Path) -> None:
    read = dict(pages(site))
    broken = []
    for path, page in read.items():
        for link in [*page.leads, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or link in ("", "#"):
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            there = target.is_file()
            if there and parts.fragment and target.suffix == ".html":
                there = unquote(parts.fragment) in read[target].anchors
            if not there:
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    foreign = [
        f"{path.relative_to(site)}: {link}"
        for path, page in pages(site)
        for link in page.loads
        if urlsplit(link).scheme not in ("", "data") or link.startswith("//")
    ]
    styles = [
        f"{path.relative_to(site)}: {found}"
        for path in site.rglob("*.css")
        for found in re.findall(
            r"@import[^;]*|url\([\"']?(?:https?:)?//[^)]*", path.read_text("utf-8")
        )
    ]
    assert foreign + styles == []


def test_every_picture_says_what_it_shows(site: Path) -> None:
    silent = {path.name: page.silent for path, page in pages(site) if page.silent}
    assert silent == {}


@pytest.mark.parametrize(
    ("word", "page"),
    [
        ("checkpoint", "docs/ledger-spec.html"),
        ("keyframe", "docs/time-travel.html"),
        ("upcast", "notebooks/07-changing-an-event.html"),
        ("nothingofthekind", None),
    ],
)
def test_the_search_finds_offline(word: str, page: str | None, site: Path) -> None:
    shown = in_a_browser(f"file://{site}/search.html?q={word}", "--dump-dom").stdout
    (results,) = re.findall(
        r'id="search-results".*?(?=</div>\s*</article|<footer)', shown, re.DOTALL
    )
    found = re.findall(r'<a href="([^"#?]+)', results)
    assert (page in found) if page else found == []
    assert "matching the search query" in results or "did not match" in results
