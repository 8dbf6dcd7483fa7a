"""The reports: a page of tables with a plot for people, JSON for scripts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, SERVER_ID, Terminal, environment


@pytest.fixture
def fleet(command: Command) -> Command:
    """The same, where a fleet is in the log."""
    assert command("generate", "--servers", "12", "--seed", "5").code == 0
    return command


def test_a_report_is_a_page_with_a_plot(fleet: Command) -> None:
    for report, words in (
        ("rebuilds", ["completed took half at most 0:0", "9 of 10 took", "minutes"]),
        ("images", ["servers run", "most  20", "servers by image"]),
        ("metadata", ["rebuilds took metadata away from", "latest:", "a month"]),
    ):
        ran = fleet("report", report)
        assert (ran.code, ran.err) == (0, "")
        for word in (*words, "┌────"):
            assert word in ran.out
        assert "\x1b" not in ran.out
        assert fleet("report", report, "--limit", "1").out.count("\n") < ran.out.count("\n")


def test_a_report_as_json_has_its_members(fleet: Command) -> None:
    rebuilds = fleet("report", "rebuilds", "--json").json
    assert list(rebuilds) == [
        *("requested", "outcomes", "seconds", "by_month", "by_image", "by_host", "by_user"),
        *("by_project", "never_ended"),
    ]
    assert list(rebuilds["by_image"][0]) == ["id", "requested", "failed", "seconds"]
    images = fleet("report", "images", "--json").json
    assert list(images) == ["months", "images", "image_id", "servers"]
    assert len(images["images"][0]["by_month"]) == len(images["months"])
    metadata = fleet("report", "metadata", "--json").json
    assert list(metadata) == [
        *("rebuilds", "servers", "by_month", "keys", "by_user", "by_project", "latest"),
    ]


def test_a_report_is_also_by_user_and_by_project(fleet: Command) -> None:
    whole = fleet("report", "rebuilds", "--json").json
    for group in ("user", "project"):
        first = whole[f"by_{group}"][0]
        page = fleet("report", "rebuilds", "--group-by", group).out
        assert re.search(rf"^{group} +rebuilds +failed", page, re.MULTILINE)
        assert re.search(rf"^{first['id']} +{first['requested']} ", page, re.MULTILINE)
        assert not re.search("^image +rebuilds", page, re.MULTILINE)
    user, project = (whole[f"by_{group}"][0] for group in ("user", "project"))
    found = fleet("report", "rebuilds", "--by", user["id"], "--json").json
    assert (found["requested"], found["by_user"]) == (user["requested"], [user])
    found = fleet("report", "rebuilds", "--of", project["id"], "--json").json
    assert (found["requested"], found["by_project"]) == (project["requested"], [project])
    images = fleet("report", "images", "--of", project["id"], "--json").json["images"]
    there = fleet("list", "--json").json["servers"]
    assert sum(one["now"] for one in images) == sum(
        one["tenant_id"] == project["id"] for one in there
    )
    lost = fleet("report", "metadata", "--json").json["by_project"][0]
    page = fleet("report", "metadata", "--group-by", "project", "--of", lost["project_id"]).out
    assert page.startswith(f"{lost['rebuilds']} rebuilds took")
    assert re.search(rf"^{lost['project_id']} +{lost['rebuilds']} ", page, re.MULTILINE)
    assert fleet("report", "metadata", "--by", "nobody").out.startswith("0 rebuilds took")


def test_one_rebuild_is_a_plot_too(command: Command) -> None:
    assert command("demo", "--store", "sqlite:///cloud.db").code == 0
    page = command("report", "rebuilds").out
    assert page.startswith("1 rebuilds: 1 completed\n")
    assert "█" in page
    assert "-1.0" not in page


def test_on_a_narrow_terminal_as_many_months_are_shown_as_fit_beside_an_image(
    fleet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, wide = fleet("report", "images", "--json").json["images"][0], fleet("report", "images")
    narrow = Terminal()
    monkeypatch.setattr(sys, "stdout", narrow)
    monkeypatch.setenv("COLUMNS", "80")
    assert run(app, ("report", "images")) == 0
    for page, months in ((wide.out, 6), (narrow.getvalue(), 3)):
        (line,) = (line for line in page.splitlines() if image["image_id"] in line)
        assert line.split()[1:3] == [str(image["now"]), str(image["most"])]
        assert len(line.split()[3:]) == months


def test_the_servers_that_still_run_an_image_are_named(registered: Command) -> None:
    image = registered("show", SERVER_ID).server["image"]["id"]
    found = registered("report", "images", "--image", image.upper(), "--json").json
    assert found["image_id"] == image
    assert found["servers"] == [
        {
            "id": SERVER_ID,
            "name": "unfoobar",
            "status": "ACTIVE",
            "project_id": "openstack",
            "since": "2012-09-12T17:20:36.000000Z",
        }
    ]
    told = registered("report", "images", "--image", image).out
    assert f"1 servers still run {image}:" in told
    assert f"{SERVER_ID}  unfoobar  ACTIVE" in told
    assert (
        f"0 servers still run {NEW_IMAGE}:"
        in registered("report", "images", "--image", NEW_IMAGE).out
    )


def test_of_nothing_there_is_little_to_say(registered: Command) -> None:
    registered("delete", SERVER_ID)
    assert registered("report", "rebuilds").out == "0 rebuilds: none\n"
    assert registered("report", "images").out.startswith("0 servers run 0 images\n")
    assert registered("report", "metadata").out == (
        "0 rebuilds took metadata away from 0 servers\n"
    )


def test_what_cannot_be_asked_ends_with_2(registered: Command) -> None:
    for report in ("rebuilds", "images", "metadata"):
        ran = registered("report", report, "--limit", "0")
        assert (ran.code, ran.out) == (2, "")
        assert "--limit: 0 came" in ran.complaint
        assert registered("report", report, "--store", "sqlite:///missing.db").code == 3
    assert registered("report", "images", "--image", "web").code == 2


def test_without_plotext_one_sentence_names_its_extra(fleet: Command, folder: Path) -> None:
    asked = (
        "import sys; sys.modules['plotext'] = None; sys.argv = ['serverdomain', 'report', 'images',"
        " '--store', 'sqlite:///cloud.db']\n"
        "from serverdomain.adapters.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment(),
    )
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr == (
        "serverdomain: the command needs plotext, which is not installed; "
        "pip install 'serverdomain[audit]' brings it\n"
    )
