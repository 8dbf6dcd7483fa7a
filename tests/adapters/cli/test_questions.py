"""The lists, histories and view that people and scripts read."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest
from rich.text import Text

from serverdomain.adapters.cli.answers import visible
from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.listing import _COLUMNS
from serverdomain.adapters.cli.questions import Status
from serverdomain.adapters.cli.run import run
from serverdomain.projections.server_view import STATUSES
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, OLD_IMAGE, SERVER_ID, Terminal

LONG = "name " * 50
ODD = "\x1b[31m[bold]x[/] :smile: \x9b \u202e ü\n"


def test_off_a_terminal_nothing_is_cut_or_wrapped(registered: Command) -> None:
    registered("rename", SERVER_ID, LONG)
    head, row = registered("list").out.splitlines()
    assert head.split() == ["id", "name", "status", "lock", "image", "project", "updated"]
    for shown in (SERVER_ID, LONG, OLD_IMAGE, "openstack"):
        assert shown in row
    assert f'/name: "unfoobar" -> "{LONG}"' in registered("history", SERVER_ID).out


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, *arguments: str) -> str:
    page = Terminal()
    monkeypatch.setattr(sys, "stdout", page)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(app, arguments) == 0
    return Text.from_ansi(page.getvalue()).plain


def test_on_a_narrow_terminal_a_list_fits_and_long_shows_it_whole(
    registered: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered("rename", SERVER_ID, LONG)
    with monkeypatch.context() as patched:
        page = on_terminal(patched, 80, "list")
    assert max(map(len, page.splitlines())) <= 80
    assert page.split()[7] == SERVER_ID[:8]
    assert "…" in page
    long = on_terminal(monkeypatch, 80, "list", "--long")
    assert max(map(len, long.splitlines())) <= 80
    assert SERVER_ID in long
    assert OLD_IMAGE in long
    assert long.count("name") == 1 + LONG.count("name")


def test_no_name_makes_a_terminal_do_anything(registered: Command) -> None:
    assert registered("rename", SERVER_ID, ODD).server["name"] == ODD
    for ask in (["show", SERVER_ID], ["list"], ["list", "--json"], ["history", SERVER_ID]):
        printed = registered(*ask).out
        assert "[bold]x[/] :smile: " in printed, "no markup is read"
        assert " ü" in printed, "and what shows is shown"
        assert all(line.isprintable() for line in printed.split("\n"))


def test_list_finds_by_status_name_and_image(registered: Command) -> None:
    other = json.loads(Path("server.json").read_text("utf-8"))
    other["server"] |= {"id": NEW_IMAGE, "status": "SHUTOFF", "name": "other"}
    other["server"]["image"]["id"] = NEW_IMAGE
    registered("register", "--from", "-", stdin=json.dumps(other).encode())

    def found(*arguments: str) -> list[str]:
        servers = registered("list", "--json", *arguments).json["servers"]
        return sorted(server["name"] for server in servers)

    assert found() == ["other", "unfoobar"]
    assert found("--status", "SHUTOFF") == ["other"]
    assert found("--status", "shutoff") == ["other"]
    assert found("--name", "foo") == ["unfoobar"]
    assert found("--image", NEW_IMAGE.upper()) == ["other"]
    assert found("--image", NEW_IMAGE, "--status", "ACTIVE") == []
    assert found("--of", "openstack", "--status", "Active") == ["unfoobar"]
    assert found("--of", "another") == []


def test_whose_servers_are_listed_is_no_matter_of_who_asks(
    registered: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_PROJECT", "another")
    assert len(registered("list", "--json").json["servers"]) == 1


@pytest.fixture
def three(command: Command) -> Command:
    """Three servers: b is the newest, c the oldest."""
    for number, name, created in ((1, "a", 2013), (2, "b", 2014), (3, "c", 2012)):
        one = json.loads(Path("server.json").read_text("utf-8"))
        one["server"] |= {"id": f"{SERVER_ID[:-1]}{number}", "name": name}
        one["server"] |= dict.fromkeys(("created", "updated"), f"{created}-01-01T00:00:00Z")
        command("register", "--from", "-", stdin=json.dumps(one).encode())
    return command


def test_a_list_is_sorted_and_limited(three: Command) -> None:
    def names(*arguments: str) -> str:
        return "".join(three("list", *arguments, "-o", "name").out.split()[1:])

    assert names() == "bac"
    assert names("--limit", "2") == "ba"
    assert names("--sort", "name") == "abc"
    assert names("--sort", "name:asc", "--limit", "1") == "a"
    assert names("--sort", "Updated:desc") == "bac"
    assert names("--sort", "created", "--limit", "2") == "ca"
    assert names("--sort", "status") == "bac", "what is alike stays in its order"
    assert names("--sort", "created", "--limit", "2", "--as-of", "position:2") == "ab"
    sorted_json = three("list", "--sort", "name", "--limit", "2", "--json").json["servers"]
    assert [server["name"] for server in sorted_json] == ["a", "b"]


def test_a_list_shows_the_columns_asked_for(three: Command) -> None:
    three("lock", f"{SERVER_ID[:-1]}2")
    assert three("list", "-o", "name, lock,version").out.split() == (
        ["name", "lock", "version", "b", "owner", "2", "a", "-", "1", "c", "-", "1"]
    )
    wide = three("list", "--columns", ",".join(_COLUMNS)).out
    assert wide.split("\n")[0].split() == list(_COLUMNS)
    assert '{"stage": "before"}' in wide


def test_a_list_as_csv_can_be_read_as_csv(three: Command) -> None:
    for name in ('say "a, b"', "1=1", "-", ODD):
        three("rename", f"{SERVER_ID[:-1]}2", name)
        printed = three("list", "--csv", "-o", "id,name,created", "--limit", "1").out
        head, row = csv.reader(io.StringIO(printed))
        assert head == ["id", "name", "created"]
        assert row == [f"{SERVER_ID[:-1]}2", visible(name), "2014-01-01T00:00:00Z"]
        assert all(line.isprintable() for line in printed.splitlines())


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1+1", "@SUM(A1)"])
def test_what_a_spreadsheet_would_run_is_text_in_csv(three: Command, name: str) -> None:
    three("rename", "--", f"{SERVER_ID[:-1]}2", name)
    printed = three("list", "--csv", "-o", "name,lock", "--limit", "1").out
    assert [*csv.reader(io.StringIO(printed))] == [["name", "lock"], [f"'{name}", "-"]]


def test_where_no_server_is_found_stderr_says_so(three: Command) -> None:
    for asked in (["--name", "nobody"], ["--name", "nobody", "--as-of", "now"]):
        head = three("list", *asked)
        assert (head.code, len(head.out.splitlines())) == (0, 1)
        assert head.err.splitlines()[-1] == "serverdomain: no server was found"
        none = three("list", *asked, "--json")
        assert none.json == {"servers": []}
        assert none.err.splitlines()[-1] == "serverdomain: no server was found"
    assert three("list").err == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--limit", "0"], "--limit: 0 came"),
        (["--sort", "nam"], "--sort: 'nam' came, id, name, status"),
        (["--sort", "name:up"], "--sort: 'up' came, asc or desc is allowed"),
        (["--columns", "id,,name"], "--columns: '' came, id, name, status"),
        (["--json", "--csv"], "--json: --columns or --csv came with it"),
        (["--json", "-o", "id"], "--json: --columns or --csv came with it"),
        (["--status", "gone"], "'gone'"),
    ],
)
def test_what_a_list_cannot_show_is_refused(
    three: Command, arguments: list[str], says: str
) -> None:
    wrong = three("list", *arguments)
    assert (wrong.code, wrong.out) == (2, "")
    assert says in wrong.complaint


def test_every_status_can_be_asked_for() -> None:
    assert get_args(Status) == STATUSES


def test_a_history_tells_who_when_what_and_from_what_to_what(registered: Command) -> None:
    registered(
        *("rename", SERVER_ID, "foobar", "--user", "u-1", "--project", "p-1"),
        *("--request-id", "req-1", "--at", "2020-01-01T01:00:00.5+01:00"),
    )
    told = registered("history", SERVER_ID).out.splitlines()
    assert told[-2:] == [
        "2  2020-01-01T00:00:00.500000Z  ServerRenamed  by u-1 in p-1, req-1",
        '    /name: "unfoobar" -> "foobar"',
    ]
    assert told[0].startswith(
        "1  2012-09-12T17:20:36.000000Z  ServerRegistered  by fake in openstack"
    )
    assert told[1].startswith(f'    is "unfoobar", {SERVER_ID}, ACTIVE, ')


def test_a_history_as_json_has_the_documented_members(registered: Command) -> None:
    registered(
        *("rename", SERVER_ID, "foobar", "--request-id", "req-1"),
        *("--correlation-id", "c-1", "--caused-by", "req-0", "--at", "2020-01-01T00:00:00Z"),
    )
    _, entry = registered("history", SERVER_ID, "--json").json
    assert entry.pop("recorded_at").endswith("Z")
    assert entry == {
        "position": 2,
        "version": 2,
        "event": "ServerRenamed",
        "server_id": SERVER_ID,
        "occurred_at": "2020-01-01T00:00:00.000000Z",
        "request_id": "req-1",
        "correlation_id": "c-1",
        "caused_by": "req-0",
        "user_id": "fake",
        "project_id": "openstack",
        "data": {"name": "foobar"},
        "changes": [{"path": "/name", "from": "unfoobar", "to": "foobar"}],
    }


def test_links_begin_with_the_endpoint(registered: Command) -> None:
    def itself(*arguments: str) -> str:
        return str(registered(*arguments).server["links"][0]["href"])

    path = f"/v2/openstack/servers/{SERVER_ID}"
    assert itself("show", SERVER_ID) == f"http://127.0.0.1:8774{path}"
    given = ["--endpoint", "https://cloud.example.com/compute/"]
    assert itself("show", SERVER_ID, *given) == f"https://cloud.example.com/compute{path}"
    assert itself("lock", SERVER_ID, *given) == f"https://cloud.example.com/compute{path}"


def test_the_view_tells_how_far_it_is_and_is_replayed(registered: Command) -> None:
    behind = {"position": 0, "head": 1, "lag": 1, "servers": 0}
    assert registered("view", "status", "--json").json == behind
    assert "1 events behind" in registered("view", "status").out
    assert registered("view", "replay") == (0, "", "")
    there = {"position": 1, "head": 1, "lag": 0, "servers": 1}
    assert registered("view", "status", "--json").json == there
    assert "cloud.view.db holds 1 servers" in registered("view", "status").out


def test_a_view_lies_where_it_is_said_to(registered: Command) -> None:
    for ask in (["list"], ["view", "replay"], ["view", "status"]):
        assert registered(*ask, "--view", "elsewhere.db").code == 0
    assert Path("elsewhere.db").exists()
    assert not Path("cloud.view.db").exists()


def test_a_warning_is_a_line_on_stderr(registered: Command) -> None:
    registered("list")
    Path("cloud.view.db").write_bytes(b"SQLite format 3\0" + b"x" * 500)
    Path("cloud.view.db-wal").unlink(missing_ok=True)
    listed = registered("list", "--json")
    assert len(listed.json["servers"]) == 1
    assert "replayed from zero" in listed.complaint


def test_a_newer_release_stops_the_list_which_then_prints_nothing(registered: Command) -> None:
    with closing(sqlite3.connect("cloud.db")) as log, log:
        log.execute(
            "INSERT INTO stored_events"
            " (originator_id, originator_version, topic, state, command_id)"
            " VALUES (?, 2, 'serverdomain:ServerTeleported:1', '{}', 1)",
            (SERVER_ID.replace("-", ""),),
        )
    for ask in (["list"], ["list", "--json"], ["show", SERVER_ID], ["view", "replay"]):
        stopped = registered(*ask)
        assert (stopped.code, stopped.out) == (3, "")
        assert "ServerTeleported" in stopped.complaint
