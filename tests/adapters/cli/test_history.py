"""`history` over a server and over the whole log, and what finds some of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, OLD_IMAGE, SERVER_ID

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
    (refusal,) = two("history", "--since", at, "--until", at, "--json").json
    assert refusal["occurred_at"] == refusal["data"]["members"]["occurred_at"] == at


def test_without_a_server_it_tells_the_whole_log_and_names_each(two: Command) -> None:
    lines = [line for line in two("history").out.splitlines() if not line.startswith(" ")]
    assert [line.split("  ")[1:3] for line in lines] == [
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
        f"2020-01-01T00:00:00.000000Z  RebuildRequested  {SERVER_ID}  by alice in openstack, req-1"
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
    assert found(two, "--since", "2020-01-01T01:00:01+01:00") == [told, refused]
    assert found(two, "--until", "2020-01-01T00:00:00Z")[2:] == asked
    assert found(two, "--text", "TOLD") == [told]
    assert found(two, "--actor", "alice", "--limit", "2") == asked[2:]
    assert found(two, "--actor", "alice", "--image", NEW_IMAGE, "--text", "imagech") == [asked[1]]
    assert found(two, "--actor", "nobody") == []
    assert two("history", "--actor", "nobody") == (0, "", "")


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
