"""``what-if``: what is told, in words and as JSON, and what cannot be supposed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, OLD_IMAGE, PASSWORD, SERVER_ID


@pytest.fixture
def rebuilt(registered: Command) -> Command:
    """The same, where the server was rebuilt."""
    asked = ["--request", "request.json", "--request-id", "req-1", "--at", "2020-01-01T00:00:00Z"]
    assert registered("rebuild", SERVER_ID, *asked).code == 0
    done = ["--request-id", "req-2", "--caused-by", "req-1", "--at", "2020-01-01T00:05:00Z"]
    assert registered("complete", SERVER_ID, *done).code == 0
    return registered


def test_it_tells_what_would_have_come_to_something_else(rebuilt: Command) -> None:
    ran = rebuilt("what-if", SERVER_ID, "--drop", "req-1")
    assert (ran.code, ran.err) == (0, "")
    told = ran.out.splitlines()
    assert told[0] == f"server {SERVER_ID} is ACTIVE; it would be ACTIVE"
    assert f'    /image/id: "{NEW_IMAGE}" -> "{OLD_IMAGE}"' in told
    asked = told.index("2020-01-01T00:00:00.000000Z  rebuild  req-1")
    assert told[asked + 1].startswith("    was: RebuildRequested, ImageChanged")
    assert told[asked + 2] == "    would be: not asked"
    assert told[asked + 4] == "    was: RebuildCompleted"
    assert told[asked + 5].startswith("    would be: nothing, in conflict: server")
    assert told[-2:] == ["    was: completed after 300 s", "    would be: not begun"]
    assert PASSWORD not in ran.out


def test_as_json_it_tells_the_same(rebuilt: Command) -> None:
    found = rebuilt("what-if", SERVER_ID, "--drop", "req-1", "--json").json
    assert found["status"] == {"was": "ACTIVE", "would_be": "ACTIVE"}
    assert {"path": "/image/id", "from": NEW_IMAGE, "to": OLD_IMAGE} in found["changes"]
    first, second = found["requests"]
    assert first["would_be"] is None
    assert first | {"was": None} == {
        "request_id": "req-1",
        "kind": "rebuild",
        "occurred_at": "2020-01-01T00:00:00.000000Z",
        "position": 2,
        "was": None,
        "would_be": None,
    }
    assert second["was"] == {
        "outcome": "done",
        "events": ["RebuildCompleted"],
        "rule": None,
        "why": None,
    }
    assert second["would_be"]["outcome"] == "conflict"
    (rebuild,) = found["rebuilds"]
    assert rebuild == {
        "rebuild_id": "req-1",
        "was": {
            "requested_at": "2020-01-01T00:00:00.000000Z",
            "ended_at": "2020-01-01T00:05:00.000000Z",
            "ended": "completed",
            "seconds": 300.0,
        },
        "would_be": None,
    }


FORMS: list[tuple[dict[str, Any], str, str]] = [
    ({"rebuild": {"imageRef": OLD_IMAGE}}, "/image/id", OLD_IMAGE),
    ({"kind": "rename", "members": {"name": "other"}}, "/name", "other"),
    ({"kind": "stop"}, "/status", "SHUTOFF"),
    ({"events": [{"event": "ServerRenamed", "data": {"name": "told"}}]}, "/name", "told"),
]


def test_another_request_or_facts_are_read_in_every_form(rebuilt: Command) -> None:
    for supposed, path, after in FORMS:
        Path("other.json").write_text(json.dumps(supposed), "utf-8")
        found = rebuilt("what-if", SERVER_ID, "--replace", "req-1=other.json", "--json").json
        assert {change["path"]: change["to"] for change in found["changes"]}[path] == after
        inserted = json.dumps({"at": "2020-01-01T00:10:00Z", "user_id": "u-1", **supposed})
        found = rebuilt(
            "what-if", SERVER_ID, "--insert", "-", "--json", stdin=inserted.encode()
        ).json
        assert found["requests"][0]["request_id"] == "supposed-1"
        assert {change["path"]: change["to"] for change in found["changes"]}[path] == after


def test_what_history_prints_can_be_supposed_again(rebuilt: Command) -> None:
    before = rebuilt("history", SERVER_ID, "--json").json
    entries = [{"event": entry["event"], "data": entry["data"]} for entry in before]
    Path("all.json").write_text(
        json.dumps({"events": entries[:1], "at": "2012-09-12T17:20:36Z"}), "utf-8"
    )
    found = rebuilt(
        *("what-if", SERVER_ID, "--drop", "position:1", "--insert", "all.json", "--json")
    ).json
    assert found["changes"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--drop", "req-9"], f"request 'req-9' is not in the history of server {SERVER_ID}"),
        (["--drop", "position:9"], "position 9 is not in the history"),
    ],
)
def test_what_is_not_in_the_history_ends_with_1(
    rebuilt: Command, arguments: list[str], says: str
) -> None:
    ran = rebuilt("what-if", SERVER_ID, *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.complaint


CANNOT_BE = [
    ("--insert", "[]", "holds no object"),
    ("--insert", "{", "holds no JSON"),
    ("--insert", '{"kind": "stop"}', "--insert: at is missing, the time of the request"),
    ("--insert", '{"kind": "stop", "at": 7}', "--insert: 7 came as at, "),
    ("--insert", '{"kind": "stop", "at": "2020-01-01T00:00:00"}', "naive"),
    ("--insert", '{"at": "2020-01-01T00:00:00Z"}', "at came, "),
    ("--replace", '{"kind": "explode"}', "the kind 'explode' came"),
    ("--replace", '{"kind": "rename", "members": {"name": ""}}', "members of rename: name: 0"),
    (
        "--replace",
        '{"kind": "rename", "members": {}}',
        "rename: name did not come",
    ),
    (
        "--insert",
        '{"kind": "register", "at": "2020-01-01T00:00:00Z", "members": {"name": "a"}}',
        "members of register: server_id, project_id, user_id, ",
    ),
    ("--replace", '{"events": [{"event": "CommandRefused", "data": {}}]}', "as history"),
    (
        "--replace",
        '{"events": [{"event": "ServerRenamed"}]}',
        "ServerRenamed: name did not",
    ),
    ("--replace", '{"rebuild": {"imageRef": 7, "adminPass": "seekr3t"}}', "imageRef"),
    (
        "--replace",
        '{"kind": "rebuild", "members": {"image_id": "x", "admin_pass": "seekr3t"}}',
        "image_id",
    ),
    ("--insert", '{"kind": "stop", "at": "2020-01-01T00:00:00Z", "roles": 7}', "Actor"),
]


def test_what_cannot_be_supposed_ends_with_2(rebuilt: Command) -> None:
    for option, given, says in CANNOT_BE:
        Path("given.json").write_text(given, "utf-8")
        file = "given.json" if option == "--insert" else "req-1=given.json"
        ran = rebuilt("what-if", SERVER_ID, option, file)
        assert (ran.code, ran.out) == (2, ""), given
        assert says in ran.complaint
        assert PASSWORD not in ran.complaint


def test_something_must_be_supposed(rebuilt: Command) -> None:
    ran = rebuilt("what-if", SERVER_ID)
    assert ran.code == 2
    assert "--drop, --insert or --replace is allowed" in ran.complaint
    assert rebuilt("what-if", SERVER_ID, "--replace", "req-1").code == 2
    assert rebuilt("what-if", SERVER_ID, "--replace", "req-1=missing.json").code == 2
