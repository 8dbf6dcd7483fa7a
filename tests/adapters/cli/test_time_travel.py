"""The command as of a moment, and what changed between two, for people and for scripts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonpatch
import pytest
from freezegun import freeze_time

from serverdomain import Servers
from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, OLD_IMAGE, SERVER_ID, Terminal

NOWHEN = "2012-09-12T17:20:35Z"
OTHER_ID = "155d900f-4e14-4e4c-a73d-069cbf4541e6"


@pytest.fixture
def renamed(registered: Command) -> Command:
    """The same, where the server was renamed in 2020, and in 2019 as we were told later."""
    for name, at in (("known", "2020-01-01T00:00:00Z"), ("x\x1b[31m", "2021-01-01T00:00:00Z")):
        done = registered("rename", SERVER_ID, name, "--at", at, "--request-id", f"req-{at[:4]}")
        assert done.code == 0
    return registered


def recorded_at(command: Command, version: int) -> str:
    entry = command("history", SERVER_ID, "--json").json[version - 1]
    return str(entry["recorded_at"])


# As of


def test_show_tells_how_it_was(renamed: Command) -> None:
    for moment, name in (
        ("version:1", "unfoobar"),
        ("position:2", "known"),
        ("occurred:2020-12-31T23:59:59Z", "known"),
        ("occurred:2021-01-01T01:00:00+01:00", "x\x1b[31m"),
        ("recorded:9000-01-01T00:00:00Z", "x\x1b[31m"),
        ("recorded:9000-01-01T00:00:00Z,occurred:2020-06-01T00:00:00Z", "known"),
    ):
        assert renamed("show", SERVER_ID, "--as-of", moment).server["name"] == name


def test_show_tells_what_was_known(renamed: Command) -> None:
    known = recorded_at(renamed, 2)
    shown = renamed("show", SERVER_ID, "--as-of", f"recorded:{known}")
    assert shown.server["name"] == "known"
    assert shown.server["links"] == renamed("show", SERVER_ID).server["links"]


def test_list_tells_which_there_were(renamed: Command) -> None:
    def names(*arguments: str) -> list[str]:
        return [one["name"] for one in renamed("list", "--json", *arguments).json["servers"]]

    assert names("--as-of", "position:2") == ["known"]
    assert names("--as-of", f"recorded:{recorded_at(renamed, 1)}") == ["unfoobar"]
    assert names("--as-of", f"recorded:{NOWHEN}") == names("--as-of", "position:0") == []
    assert names("--as-of", "position:2", "--name", "foo") == []
    assert names("--as-of", "position:2", "--image", OLD_IMAGE, "--status", "ACTIVE") == ["known"]
    assert not Path("cloud.view.db").exists(), "no view is made for it"
    assert renamed("list", "--as-of", "position:3").out == renamed("list").out


WRONG: tuple[tuple[list[str], int, str], ...] = (
    (
        ["show", SERVER_ID, "--as-of", f"occurred:{NOWHEN}"],
        1,
        f"not there as of occurred:{NOWHEN[:-1]}",
    ),
    (["show", SERVER_ID, "--as-of", "version:0"], 1, "not there as of version:0"),
    (["show", SERVER_ID, "--as-of", "version:4"], 1, f"the head of server {SERVER_ID} is 3"),
    (["show", SERVER_ID, "--as-of", "position:4"], 1, "the log's head is 3"),
    (["show", OTHER_ID, "--as-of", "version:1"], 1, OTHER_ID),
    (["list", "--as-of", "position:4"], 1, "the log's head is 3"),
    (["diff", SERVER_ID, "first", "version:9"], 1, f"the head of server {SERVER_ID} is 3"),
    (["diff", SERVER_ID, "version:0", "position:0"], 1, "nor as of position:0"),
    (["diff", OTHER_ID, "first", "now"], 1, "never was"),
    (["diff", SERVER_ID, OTHER_ID], 1, f"server {OTHER_ID} is not there"),
    (["diff", "foobar", "first", "now"], 1, "no server has the id or name 'foobar'"),
    (["diff", "--fleet", "first", "position:4"], 1, "the log's head is 3"),
    (["show", SERVER_ID, "--as-of", "1999-12-31"], 1, "not there as of recorded:1999-12-31T23:59"),
    (["show", SERVER_ID, "--as-of", "tomorrow"], 2, "--as-of: 'tomorrow' came, version:N"),
    (["show", SERVER_ID, "--as-of", "10/11/2024"], 2, "may be read as one day or another"),
    (["show", SERVER_ID, "--as-of", "2024-11-11T13:00"], 2, "naive, it has no zone"),
    (["show", SERVER_ID, "--as-of", "first"], 2, "recorded:TIME,occurred:TIME is allowed"),
    (["show", SERVER_ID, "--as-of", "version:x"], 2, "version:N with a whole number"),
    (["show", SERVER_ID, "--as-of", "recorded:2012-09-12T17:20:35"], 2, "naive"),
    (["show", SERVER_ID, "--as-of", "occurred:2016-12-31T23:59:60Z"], 2, "second 60"),
    (
        ["list", "--as-of", "version:1"],
        2,
        "--as-of: version:1 came for the fleet, position:N or",
    ),
    (["list", "--as-of", f"occurred:{NOWHEN}"], 2, "position:N or recorded:TIME is allowed"),
    (["list", "--as-of", f"recorded:{NOWHEN},occurred:{NOWHEN}"], 2, "came for the fleet"),
    (["diff", SERVER_ID, "first", "now", "--by", "fake"], 2, "--by: it came without --fleet"),
    (["diff"], 2, "SERVER A B"),
    (["diff", SERVER_ID], 2, "SERVER A B, SERVER SERVER or --fleet A B is allowed"),
    (["diff", SERVER_ID, "now"], 2, "--fleet A B is allowed"),
    (["diff", SERVER_ID, "version:1"], 2, "--fleet A B is allowed"),
    (["diff", SERVER_ID, "yesterday"], 2, "--fleet A B is allowed"),
    (["diff", SERVER_ID, "first", "now", "then"], 2, "--fleet A B is allowed"),
    (["diff", "--fleet", "first"], 2, "--fleet A B is allowed"),
    (["diff", SERVER_ID, "first", "then"], 2, "B: 'then' came, version:N"),
    (["diff", SERVER_ID, "version:1.5", "now"], 2, "A: 'version:1.5' came"),
    (["diff", SERVER_ID, "first", "occurred:2012-09-12T17:20:35"], 2, "naive"),
    (["diff", "--fleet", "version:1", "now"], 2, "A: version:1 came for the fleet"),
    (["diff", "--fleet", "first", f"occurred:{NOWHEN}"], 2, "B: occurred"),
)


def test_what_cannot_be_is_one_line(renamed: Command) -> None:
    for arguments, code, says in WRONG:
        no = renamed(*arguments)
        assert (no.code, no.out) == (code, ""), arguments
        assert says in no.complaint


@freeze_time("2024-11-13T10:30:00Z")
def test_what_was_read_into_a_moment_is_said(command: Command) -> None:
    with freeze_time("2024-11-11T12:00:00Z"):
        assert command("register", "--from", "server.json").code == 0
    assert command("rename", SERVER_ID, "later").code == 0
    for asked, means in (
        ("2024-11-11", "recorded:2024-11-11T23:59:59.999999Z"),
        ("yesterday", "recorded:2024-11-12T23:59:59.999999Z"),
        ("24h ago", "recorded:2024-11-12T10:30:00.000000Z"),
        ("2024-11-12T10:30:00Z", "recorded:2024-11-12T10:30:00.000000Z"),
        ("occurred:2024-11-11", "occurred:2024-11-11T23:59:59.999999Z"),
    ):
        shown = command("show", SERVER_ID, "--as-of", asked)
        assert (shown.server["name"], shown.complaint) == ("unfoobar", f"as of {means}")
        if not asked.startswith("occurred"):
            listed = command("list", "--as-of", asked, "--json")
            assert listed.complaint == f"as of {means}"
            diff = command("diff", SERVER_ID, asked, "now").out
            assert diff.startswith(f"server {SERVER_ID} from {means} to position:2\n")
    for exact in ("version:1", "position:1", "recorded:2024-11-11T23:00:00Z"):
        assert command("show", SERVER_ID, "--as-of", exact).err == ""
    assert command("show", SERVER_ID, "--as-of", "now") == command("show", SERVER_ID)


# Diff


def test_a_diff_tells_paths_values_events_and_who(renamed: Command) -> None:
    assert renamed("diff", SERVER_ID, "first", "now", "--endpoint", "http://x").out == (
        f"server {SERVER_ID} from version:1 to position:3\n"
        "/name\n"
        '  - "unfoobar"\n'
        '  + "x\\u001b[31m"\n'
        "  by 2, 3\n"
        "2  2020-01-01T00:00:00.000000Z  ServerRenamed  by fake in openstack, req-2020\n"
        "3  2021-01-01T00:00:00.000000Z  ServerRenamed  by fake in openstack, req-2021\n"
    )
    assert renamed("diff", SERVER_ID, "now", "position:3").out == (
        f"server {SERVER_ID} from position:3 to position:3\nnothing changed\n"
    )
    born = renamed("diff", SERVER_ID, "position:0", "version:1").out
    assert "from position:0 (not there) to version:1" in born
    assert '/status\n  + "ACTIVE"\n  by 1\n' in born


def test_a_diff_of_the_fleet_tells_it_of_each_server(renamed: Command) -> None:
    assert renamed("diff", "--fleet", "position:2", "now").out == (
        "the fleet from position:2 to position:3: 1 servers\n"
        "\n"
        f"server {SERVER_ID}\n"
        "/name\n"
        '  - "known"\n'
        '  + "x\\u001b[31m"\n'
        "  by 3\n"
        "3  2021-01-01T00:00:00.000000Z  ServerRenamed  by fake in openstack, req-2021\n"
    )
    assert (
        "from position:1 to position:3: 1 servers" in renamed("diff", "--fleet", "first", "now").out
    )


def test_a_diff_of_the_fleet_may_be_of_one_project_and_by_one_user(renamed: Command) -> None:
    whole = renamed("diff", "--fleet", "first", "now")
    for chosen in (["--by", "fake"], ["--of", "openstack"], ["--by", "fake", "--of", "openstack"]):
        assert renamed("diff", "--fleet", "first", "now", *chosen) == whole
    for none in (["--by", "nobody"], ["--of", "another"], ["--by", "fake", "--of", "another"]):
        assert renamed("diff", "--fleet", "first", "now", *none).out.endswith(": 0 servers\n")
        assert renamed("diff", "--fleet", "first", "now", "--json", *none).json["patch"] == []


def test_a_diff_of_the_fleet_passes_over_a_server_that_is_as_it_was(renamed: Command) -> None:
    renamed("rename", SERVER_ID, "other")
    renamed("rename", SERVER_ID, "x\x1b[31m")
    assert renamed("diff", "--fleet", "position:3", "now").out == (
        "the fleet from position:3 to position:5: 0 servers\n"
    )
    lists = [renamed("list", "--as-of", f"position:{p}", "--json").json for p in (3, 5)]
    then, now = ({one["id"]: one for one in found["servers"]} for found in lists)
    found = renamed("diff", "--fleet", "position:3", "now", "--json").json
    assert found["changes"] == []
    assert jsonpatch.apply_patch(then, found["patch"]) == now


def test_the_patch_leads_from_one_shown_document_to_the_other(renamed: Command) -> None:
    endpoint = ("--endpoint", "https://cloud.example.com/compute")
    renamed("rebuild", SERVER_ID, "--request", "request.json")
    head = renamed("view", "status", "--json").json["head"]
    said = {"first": "version:1", "now": f"position:{head}"}
    for one, other in (
        ("version:1", "position:3"),
        ("now", "first"),
        ("occurred:2020-06-01T00:00:00Z", "version:1"),
        ("version:1", "version:1"),
    ):
        then, now = (
            renamed("show", SERVER_ID, "--as-of", said.get(moment, moment), *endpoint).json
            for moment in (one, other)
        )
        found = renamed("diff", SERVER_ID, one, other, "--json", *endpoint).json
        assert list(found) == ["from", "to", "changes", "patch"]
        assert jsonpatch.apply_patch(then, found["patch"]) == now
        assert (found["changes"] == []) == (one == other)


def test_two_servers_are_compared(renamed: Command) -> None:
    document = renamed("show", SERVER_ID).json
    document["server"] |= {"id": OTHER_ID, "status": "SHUTOFF"}
    document["server"]["image"]["id"] = NEW_IMAGE
    document["server"].pop("progress", None)
    other = json.dumps(document).encode()
    assert renamed("register", "--from", "-", stdin=other).code == 0
    found = renamed("diff", SERVER_ID, OTHER_ID, "--json").json
    assert (found["from"], found["to"]) == ({"server_id": SERVER_ID}, {"server_id": OTHER_ID})
    changed = {one["path"]: one["events"] for one in found["changes"]}
    assert changed["/image/id"] == changed["/status"] == changed["/id"] == [1, 4]
    assert "/name" not in changed
    told = renamed("diff", SERVER_ID, OTHER_ID).out
    assert told.startswith(f"from server {SERVER_ID} to server {OTHER_ID}, as they are now\n")


def test_a_diff_of_the_fleet_as_json_names_the_servers_in_its_paths(renamed: Command) -> None:
    found = renamed("diff", "--fleet", "position:2", "now", "--json").json
    assert (found["from"], found["to"]) == ({"position": 2}, {"position": 3})
    (change,) = found["changes"]
    assert (change["path"], change["events"]) == (f"/{SERVER_ID}/name", [3])
    assert {one["path"].split("/")[1] for one in found["patch"]} == {SERVER_ID}


def test_on_a_terminal_it_has_colours_and_off_it_none(
    renamed: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("diff", SERVER_ID, "first", "now")
    assert "\x1b" not in renamed(*asked).out
    page = Terminal()
    monkeypatch.setattr(sys, "stdout", page)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert run(app, asked) == 0
    assert '\x1b[31m  - "unfoobar"\x1b[0m' in page.getvalue()
    assert '\x1b[32m  + "x\\u001b[31m"\x1b[0m' in page.getvalue()


def test_nothing_of_it_writes_to_the_log(renamed: Command) -> None:
    before = Path("cloud.db").read_bytes()
    for asked in (
        ("show", SERVER_ID, "--as-of", "version:1"),
        ("list", "--as-of", "position:1"),
        ("diff", SERVER_ID, "first", "now"),
        ("diff", "--fleet", "first", "now"),
    ):
        assert renamed(*asked).code == 0
    assert Path("cloud.db").read_bytes() == before
    with Servers.open("sqlite:///cloud.db") as servers:
        assert servers.get(SERVER_ID).version == 3
