"""The reports: a page of tables with a plot for people, JSON for scripts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.text import Text

from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run
from serverdomain.errors import ExtraMissing
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
        ("metadata", ["rebuilds took metadata away from", "latest:", "by month"]),
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


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, *arguments: str) -> str:
    page = Terminal()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", page)
        patched.setenv("COLUMNS", str(columns))
        patched.setenv("TERM", "xterm-256color")
        assert run(app, arguments) == 0
    return page.getvalue()


def test_on_a_narrow_terminal_as_many_months_are_shown_as_fit_beside_an_image(
    fleet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = fleet("report", "images", "--json").json["images"][0]
    for columns, more, months in ((200, (), 6), (80, (), 6), (60, (), 4), (80, ("--long",), 3)):
        page = on_terminal(monkeypatch, columns, "report", "images", *more)
        found = image["image_id"] if more or columns > 100 else image["image_id"][:8]
        (line,) = (line for line in page.splitlines() if line.startswith(found))
        assert line.split()[:3] == [found, str(image["now"]), str(image["most"])]
        assert len(line.split()[3:]) == months


@pytest.mark.parametrize("report", ["rebuilds", "images", "metadata"])
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_report_is_as_wide_as_the_terminal(
    fleet: Command, monkeypatch: pytest.MonkeyPatch, report: str, columns: int
) -> None:
    page = Text.from_ansi(on_terminal(monkeypatch, columns, "report", report)).plain
    assert max(map(cell_len, page.splitlines())) <= columns
    (frame,) = (line for line in page.splitlines() if line.lstrip().startswith("┌"))
    assert len(frame) == min(columns, 100)


def test_a_plot_is_60_columns_at_the_least(fleet: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Text.from_ansi(on_terminal(monkeypatch, 40, "report", "rebuilds")).plain
    (frame,) = (line for line in page.splitlines() if line.lstrip().startswith("┌"))
    assert len(frame) == 60


def test_what_is_counted_by_month_is_a_bar_a_month_and_no_slope(fleet: Command) -> None:
    page = fleet("report", "metadata").out
    assert "█" in page
    assert "•" not in page


def series(page: str) -> list[str]:
    """The line that says which series is which."""
    return Text.from_ansi(page).plain.rstrip("\n").splitlines()[-1].split()


def test_the_lines_of_a_plot_differ_and_stand_in_the_table(
    fleet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in (
        fleet("report", "images", "--limit", "3").out,
        on_terminal(monkeypatch, 80, "report", "images", "--limit", "3"),
    ):
        told = series(page)
        assert len(told) == 6
        for name in told[1::2]:
            assert any(line.startswith(name) for line in page.splitlines())
    plain = fleet("report", "images").out.rstrip("\n").splitlines()
    signs = plain[-1].split()[::2]
    assert len(set(signs)) == 4, "by their characters"
    assert all(any(sign in line for line in plain[12:-1]) for sign in signs)
    coloured = on_terminal(monkeypatch, 80, "report", "images").splitlines()[-1]
    assert len(set(re.findall(r"\x1b\[\d+m━", coloured))) == 4, "by their colours"


def test_where_servers_are_counted_there_is_no_half_one(fleet: Command) -> None:
    for report in ("rebuilds", "images", "metadata"):
        ticks = re.findall(r"^ *(\S+)┤", fleet("report", report).out, re.MULTILINE)
        assert len(ticks) > 1
        assert all(tick.isdigit() for tick in ticks)
        assert ticks[-1] == "0"


def test_no_colour_is_used_where_none_is_wanted(
    fleet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    page = on_terminal(monkeypatch, 80, "report", "images")
    assert not re.search(r"\x1b\[3\d", page)
    assert series(page) == series(fleet("report", "images").out)


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
    missing_extra = ExtraMissing("the command", "plotext", "audit")
    assert ran.stderr == f"serverdomain: {missing_extra}\n"
