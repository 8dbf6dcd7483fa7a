"""`history` over a server and over the whole log, and what finds some of it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from freezegun import freeze_time
from rich.cells import cell_len

from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, OLD_IMAGE, SERVER_ID, Terminal

OTHER_ID = "155d900f-4e14-4e4c-a73d-069cbf4541e6"


@pytest.fixture
def two(registered: Command) -> Command:
    """Two servers: one asks for a rebuild, which the other one hears of; one request is refused."""
    other = json.loads(Path("server.json").read_text("utf-8"))
    other["server"] |= {"id": OTHER_ID, "name": "other"}
    registered("register", "--from", "-", stdin=json.dumps(other).encode())
    registered(
        *("rebuild", SERVER_ID, "--request", "request.json", "--request-id", "req-1"),
        *("--user", "alice", "--at", "2020-01-01T00:00:00Z"),
    )
    registered(
        *("rename", OTHER_ID, "told", "--request-id", "req-2", "--caused-by", "req-1"),
        *("--at", "2020-01-01T00:00:01Z"),
    )
    refused = registered("start", SERVER_ID, "--request-id", "req-3", "--user", "bob")
    assert refused.code == 1
    return registered


def found(command: Command, *arguments: str) -> list[Any]:
    listed: list[Any] = command("history", *arguments, "--json").json
    return [(entry["event"], entry["server_id"]) for entry in listed]


def test_a_refusal_tells_which_rule_said_no(two: Command) -> None:
    head, why = two("history", SERVER_ID).out.splitlines()[-2:]
    assert "  CommandRefused  by bob in openstack, req-3" in head
    assert why.startswith(f"    start refused by the rule of state: server {SERVER_ID} is REBUILD")
    entry = two("history", SERVER_ID, "--json").json[-1]
    assert (entry["version"], entry["changes"]) == (None, [])
    assert entry["data"] == {
        "server_id": SERVER_ID,
        "kind": "start",
        "members": {},
        "rule": "state",
        "why": entry["data"]["why"],
    }


def test_a_time_that_was_asked_for_shows_as_one(two: Command) -> None:
    at = "2020-02-01T00:00:00.000000Z"
    assert two("start", SERVER_ID, "--at", at).code == 1
    (refusal,) = two(
        "history", "--since", f"occurred:{at}", "--until", f"occurred:{at}", "--json"
    ).json
    assert refusal["occurred_at"] == refusal["data"]["members"]["occurred_at"] == at


def test_without_a_server_it_tells_the_whole_log_and_names_each(two: Command) -> None:
    lines = [line for line in two("history").out.splitlines() if not line.startswith(" ")]
    assert [line.split("  ")[2:4] for line in lines] == [
        ["ServerRegistered", SERVER_ID],
        ["ServerRegistered", OTHER_ID],
        ["RebuildRequested", SERVER_ID],
        ["ImageChanged", SERVER_ID],
        ["ServerRenamed", SERVER_ID],
        ["MetadataReplaced", SERVER_ID],
        ["ServerRenamed", OTHER_ID],
        ["CommandRefused", SERVER_ID],
    ]
    assert lines[2] == (
        f"3  2020-01-01T00:00:00.000000Z  RebuildRequested  {SERVER_ID}"
        "  by alice in openstack, req-1"
    )


def test_the_whole_log_as_json_is_what_the_servers_histories_say(two: Command) -> None:
    both = two("history", SERVER_ID, "--json").json + two("history", OTHER_ID, "--json").json
    both.sort(key=lambda entry: (entry["occurred_at"], entry["position"]))
    assert two("history", "--json").json == both


def test_each_option_finds_and_together_they_find_what_all_do(two: Command) -> None:
    renamed = ("ServerRenamed", SERVER_ID)
    told = ("ServerRenamed", OTHER_ID)
    refused = ("CommandRefused", SERVER_ID)
    asked = [
        ("RebuildRequested", SERVER_ID),
        ("ImageChanged", SERVER_ID),
        renamed,
        ("MetadataReplaced", SERVER_ID),
    ]
    assert found(two, "--actor", "alice") == asked
    assert found(two, "--request", "req-1") == [*asked, told]
    assert found(two, OTHER_ID, "--request", "req-1") == [told]
    assert found(two, "--image", NEW_IMAGE.upper()) == asked[:2]
    assert ("ImageChanged", SERVER_ID) in found(two, "--image", OLD_IMAGE)
    assert found(two, "--since", "occurred:2020-01-01T01:00:01+01:00") == [told, refused]
    assert found(two, "--until", "occurred:2020-01-01T00:00:00Z")[2:] == asked
    assert found(two, "--text", "TOLD") == [told]
    assert found(two, "--actor", "alice", "--limit", "2") == asked[2:]
    assert found(two, "--actor", "alice", "--image", NEW_IMAGE, "--text", "imagech") == [asked[1]]
    assert found(two, "--by", "alice") == asked, "which is another word for it"
    assert found(two, "--by", "alice", "--event", "ImageChanged", "--event", "ServerRenamed") == [
        asked[1],
        renamed,
    ]
    assert found(two, "--position", "3-4") == asked[:2]
    assert found(two, OTHER_ID, "--of", "openstack")[1:] == [told]
    assert found(two, "--of", "another") == []


def test_where_nothing_is_found_stderr_says_so(two: Command) -> None:
    for asked in (["--actor", "nobody"], [SERVER_ID, "--event", "ServerDeleted"]):
        assert two("history", *asked) == (0, "", "serverdomain: no event was found\n")
        none = two("history", *asked, "--json")
        assert (none.json, none.complaint) == ([], "no event was found")


def test_who_acts_is_no_filter(two: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVERDOMAIN_USER", "bob")
    monkeypatch.setenv("SERVERDOMAIN_PROJECT", "another")
    assert len(found(two)) == 8


def test_the_question_of_the_readme_is_answered_on_two_lines(two: Command) -> None:
    assert two("history", "foobar", "--event", "ImageChanged") == (
        0,
        "4  2020-01-01T00:00:00.000000Z  ImageChanged  by alice in openstack, req-1\n"
        f'    /image/id: "{OLD_IMAGE}" -> "{NEW_IMAGE}"\n',
        "",
    )
    assert not Path("cloud.timeline.db").exists()


def test_events_are_found_by_name_and_position_with_a_server_or_without(two: Command) -> None:
    for server in ([SERVER_ID], []):
        image = [("ImageChanged", SERVER_ID)]
        assert found(two, *server, "--event", "ImageChanged") == image
        assert found(two, *server, "--position", "4") == image
        assert found(two, *server, "--position", "3-5", "--event", "ImageChanged") == image
        both = found(two, *server, "--event", "ImageChanged", "--event", "CommandRefused")
        assert both == [*image, ("CommandRefused", SERVER_ID)]
        assert found(two, *server, "--position", "9-999999999999999999") == []


def test_the_latest_may_come_first_and_each_event_on_one_line(two: Command) -> None:
    for server in ([SERVER_ID], []):
        whole = two("history", *server, "--json").json
        assert two("history", *server, "--json", "--reverse").json == whole[::-1]
        assert two("history", *server, "--json", "--reverse", "--limit", "2").json == whole[:-3:-1]
        lines = two("history", *server, "--oneline").out.splitlines()
        assert [line.split("  ")[0] for line in lines] == [str(one["position"]) for one in whole]
        assert lines[-1].startswith("8  ")
        assert "  start refused by the rule of state: server" in lines[-1]
    (line,) = two("history", "--position", "6", "--oneline").out.splitlines()
    assert line == (
        f"6  2020-01-01T00:00:00.000000Z  MetadataReplaced  {SERVER_ID}  by alice in openstack, "
        'req-1  /metadata/meta var: absent -> "meta val"  /metadata/stage: "before" -> absent'
    )


def test_a_birth_and_a_deletion_are_one_line_unless_all_is_asked_for(two: Command) -> None:
    two("delete", SERVER_ID)
    born, gone = (
        two("history", SERVER_ID, "--event", "ServerRegistered").out.splitlines(),
        two("history", SERVER_ID, "--event", "ServerDeleted").out.splitlines(),
    )
    assert born[1:] == [
        f'    is "unfoobar", {SERVER_ID}, ACTIVE, image {OLD_IMAGE}, flavor 1, of openstack, '
        'metadata {"stage": "before"}'
    ]
    assert gone[1:] == [
        f'    was "foobar", {SERVER_ID}, REBUILD, image {NEW_IMAGE}, flavor 1, of openstack, '
        'metadata {"meta var": "meta val"}'
    ]
    full = two("history", SERVER_ID, "--event", "ServerRegistered", "--full").out
    assert '    /status: absent -> "ACTIVE"\n' in full
    many = [f"key-{number}={'x' * 20}" for number in range(20)]
    two("metadata", OTHER_ID, *many)
    two("delete", OTHER_ID)
    last = two("history", OTHER_ID, "--limit", "1").out
    assert last.endswith(", metadata of 21 items\n")


@freeze_time("2024-11-13T10:30:00Z")
def test_since_and_until_are_times_of_recording_as_people_write_them(command: Command) -> None:
    for day, number in (("2024-11-11", 1), ("2024-11-12", 2), ("2024-11-13", 3)):
        with freeze_time(f"{day}T10:00:00Z"):
            if number == 1:
                command("register", "--from", "server.json")
            else:
                command("rename", SERVER_ID, f"name-{number}")
    for arguments, positions, says in (
        (["--since", "2024-11-12"], [2, 3], "since recorded:2024-11-12T00:00:00.000000Z"),
        (["--since", "yesterday"], [2, 3], "since recorded:2024-11-12T00:00:00.000000Z"),
        (["--until", "yesterday"], [1, 2], "until recorded:2024-11-12T23:59:59.999999Z"),
        (["--until", "2 days ago"], [1], "until recorded:2024-11-11T10:30:00.000000Z"),
        (["--since", "24h ago"], [3], "since recorded:2024-11-12T10:30:00.000000Z"),
        (["--since", "2024-11-12T10:00:00Z"], [2, 3], "since recorded:2024-11-12T10:00:00.000000Z"),
        (["--until", "2024-11-12T10:00:00Z"], [1, 2], "until recorded:2024-11-12T10:00:00.000000Z"),
        (["--until", "occurred:2012-09-12"], [1], "until occurred:2012-09-12T23:59:59.999999Z"),
    ):
        for server in ([SERVER_ID], []):
            ran = command("history", *server, *arguments, "--json")
            assert [entry["position"] for entry in ran.json] == positions, arguments
            assert ran.complaint == says
    assert command("history", "--since", "recorded:2024-11-13T00:00:00Z").err == ""


def test_on_a_terminal_it_is_coloured_and_fitted(
    two: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Terminal()
    monkeypatch.setattr(sys, "stdout", page)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert run(app, ("history", SERVER_ID, "--event", "ImageChanged")) == 0
    shown = page.getvalue()
    assert f'\x1b[31m "{OLD_IMAGE}"\x1b[0m' in shown
    assert f'\x1b[32m-> "{NEW_IMAGE}"\x1b[0m' in shown
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert lines == [
        "4  2020-01-01T00:00:00.000000Z  ImageChanged  by alice in openstack, req-1",
        f'    /image/id: "{OLD_IMAGE}"',
        f'      -> "{NEW_IMAGE}"',
    ]


@pytest.mark.parametrize("columns", [30, 80])
@pytest.mark.parametrize("oneline", [(), ("--oneline",)])
def test_no_line_is_wider_than_the_terminal(
    two: Command, oneline: tuple[str, ...], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("n" * 255, "日本語" * 40):
        assert two("rename", SERVER_ID, name).code == 0
    assert two("rename", SERVER_ID, "x", "--role", "reader").code == 1, "a refusal is one sentence"
    page = Terminal()
    monkeypatch.setattr(sys, "stdout", page)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run(app, ("history", SERVER_ID, *oneline)) == 0
    for line in re.sub(r"\x1b\[[0-9;]*m", "", page.getvalue()).splitlines():
        assert cell_len(line) <= columns
        assert line == line.rstrip()


def test_a_server_alone_needs_no_timeline(two: Command) -> None:
    assert two("history", SERVER_ID).code == 0
    whole = found(two, SERVER_ID)
    assert found(two, SERVER_ID, "--limit", "2") == whole[-2:]
    assert not Path("cloud.timeline.db").exists()
    assert found(two, SERVER_ID.upper(), "--since", "2000-01-01T00:00:00Z") == whole
    ever = ("--since", "0001-01-01T00:00:00Z", "--until", "9999-12-31T23:59:59Z")
    assert found(two, SERVER_ID, *ever) == whole
    assert Path("cloud.timeline.db").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--since", "2020-01-01T00:00:00"], 2, "--since: '2020-01-01T00:00:00' is naive"),
        (["--until", "2016-12-31T23:59:60Z"], 2, "--until: '2016-12-31T23:59:60Z' has a second 60"),
        (["--image", "foobar"], 2, "--image: 'foobar' came"),
        (["--event", "ImageChange"], 2, "--event: 'ImageChange' came, ImageChanged is allowed"),
        (["--event", "imagechanged"], 2, "--event: 'imagechanged' came, ImageChanged is allowed"),
        (["--event", "Renam"], 2, "--event: 'Renam' came, ServerRenamed is allowed"),
        (["--event", "locked"], 2, "--event: 'locked' came, ServerLocked, ServerUnlocked is"),
        (["--event", "zzz"], 2, "--event: 'zzz' came, ServerRegistered, "),
        (["--position", "0"], 2, "--position: '0' came, N or N-M is allowed"),
        (["--position", "4-3"], 2, "--position: '4-3' came"),
        (["--position", "x"], 2, "--position: 'x' came"),
        (["--since", "10/11/2024"], 2, "--since: '10/11/2024' may be read as one day or another"),
        (["--limit", "0"], 2, "--limit: 0 came, a whole number of at least 1"),
        ([NEW_IMAGE, "--actor", "alice"], 1, f"server {NEW_IMAGE} is not there, and never was"),
        (["nobody", "--actor", "alice"], 1, "no server has the id or name 'nobody'"),
    ],
)
def test_what_cannot_be_is_one_line(
    two: Command, arguments: list[str], code: int, says: str
) -> None:
    ran = two("history", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.complaint


def test_a_long_way_to_go_is_shown_on_a_terminal_alone(
    two: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serverdomain.adapters.cli.progress_bar._LONG", 1)
    assert two("history", "--limit", "1").err == ""
