"""What is written as a page to send to somebody."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from pathlib import Path

import pytest

from serverdomain import Servers
from tests.adapters.audit_page.looking import HOSTILE, ODD, WEB, clock, plain, told
from tests.adapters.cli.conftest import Command
from tests.adapters.http.client import IMAGE, OTHER_IMAGE

PAGES = {
    "history": ("history", "web"),
    "hostile": ("history", ODD),
    "log": ("history",),
    "rebuilds": ("report", "rebuilds"),
    "images": ("report", "images", "--image", IMAGE),
    "metadata": ("report", "metadata"),
}


@pytest.fixture
def written(command: Command, folder: Path) -> Command:
    now = clock()
    with Servers.open(folder / "cloud.db", clock=now) as servers:
        told(servers, now)
    return command


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_one_file_that_loads_and_runs_nothing(written: Command, folder: Path, name: str):
    ran = written(*PAGES[name], "--html", "page.html")
    assert (ran.code, ran.out) == (0, "page.html is written\n")
    page = (folder / "page.html").read_text("utf-8")
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}';" in page.replace("&#39;", "'")
    assert "<script" not in page
    assert not re.search(r"<[^>]*\s(style|src|on\w+)=", page.replace(style, ""))
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', page))
    assert "\u202e" not in page


def test_a_servers_page_has_a_link_to_each_event_with_the_document_then(
    written: Command, folder: Path
):
    assert written("history", WEB, "--html", "page.html").code == 0
    page = (folder / "page.html").read_text("utf-8")
    targets = re.findall(r'<article class="one moment" id="([^"]*)">', page)
    assert targets == [*(f"version={version}" for version in range(1, 8)), "position=8"]
    assert set(targets) == {link[1:] for link in re.findall(r'href="([^"]*)"', page)}
    assert f"<mark><bdi>      &#34;id&#34;: &#34;{OTHER_IMAGE}&#34;,</bdi></mark>" in page


def test_the_whole_log_and_a_hostile_name_are_told_as_text(written: Command, folder: Path):
    assert written("history", ODD, "--html", "page.html").code == 0
    page = (folder / "page.html").read_text("utf-8")
    assert HOSTILE.replace("\u202e", "\\u202e") in plain(page)
    assert written("history", "--event", "ImageChanged", "--html", "page.html").code == 0
    assert "1 event" in plain((folder / "page.html").read_text("utf-8"))


def test_servers_that_still_run_an_image_stand_in_its_page(written: Command, folder: Path):
    assert written("report", "images", "--image", OTHER_IMAGE, "--html", "page.html").code == 0
    said = plain((folder / "page.html").read_text("utf-8"))
    assert f"Servers that still run {OTHER_IMAGE}" in said


def test_a_page_and_json_together_are_refused(written: Command):
    ran = written("report", "rebuilds", "--html", "page.html", "--json")
    assert ran.code == 2
    assert ran.err == "serverdomain: --html: it came with --json, one of them is allowed\n"


def test_too_many_events_for_a_file_are_refused(written: Command, folder: Path, monkeypatch):
    from serverdomain.adapters.audit_page import files

    monkeypatch.setattr(files, "MOST", 3)
    ran = written("history", WEB, "--html", "page.html")
    assert ran.code == 2
    assert "8 events came, 3 are allowed: --limit N takes the latest" in ran.err
    assert not (folder / "page.html").exists()
    assert written("history", WEB, "--limit", "3", "--html", "page.html").code == 0
    monkeypatch.setattr(files, "MOST_DOCUMENTS", 2)
    assert written("history", WEB, "--limit", "3", "--html", "page.html").code == 0
    assert "The document then" not in (folder / "page.html").read_text("utf-8")


@pytest.mark.parametrize("taken", ["cloud.db", "request.json", "folder", "fifo"])
def test_what_is_no_page_is_not_written_over(written: Command, folder: Path, taken: str):
    (folder / "folder").mkdir()
    os.mkfifo(folder / "fifo")
    before = (folder / "cloud.db").read_bytes(), (folder / "request.json").read_bytes()
    ran = written("history", "--html", taken)
    assert (ran.code, ran.out) == (2, "")
    why = "is a file of the store, another" if taken == "cloud.db" else "is no page, a new file or"
    assert f"--html: {taken!r} {why}" in ran.complaint
    assert before == ((folder / "cloud.db").read_bytes(), (folder / "request.json").read_bytes())


@pytest.mark.parametrize("name", ["", ".", "/", "absent/page.html"])
def test_where_no_file_can_be_it_is_told_in_a_line(written: Command, name: str):
    ran = written("history", "--html", name)
    assert (ran.code, ran.out) == (2, "")
    assert "--html: " in ran.complaint


def test_an_older_page_is_replaced_where_a_link_leads_to_it(written: Command, folder: Path):
    (folder / "page.html").touch()
    (folder / "latest.html").symlink_to("page.html")
    for _ in range(2):
        assert written("history", "--html", "latest.html").code == 0
    assert (folder / "latest.html").is_symlink()
    assert (folder / "page.html").read_bytes().startswith(b"<!doctype html>")
