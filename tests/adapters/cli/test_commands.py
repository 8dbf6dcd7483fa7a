"""What each command does to a server, and that it prints the server as it then is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, OLD_IMAGE, PASSWORD, SERVER_ID, Terminal


def test_a_registered_server_is_shown_as_it_was_adopted(registered: Command) -> None:
    shown = registered("show", SERVER_ID).server
    adopted = json.loads(Path("server.json").read_text("utf-8"))["server"]
    for server in (shown, adopted):
        for linked in (server, server["flavor"], server["image"]):
            del linked["links"]
    assert shown == adopted | {"progress": 0}


def test_what_show_and_list_print_can_be_registered_elsewhere(registered: Command) -> None:
    for shown in (registered("show", SERVER_ID), registered("list", "--json")):
        store = f"sqlite:///{len(shown.out)}.db"
        again = registered("register", "--from", "-", "--store", store, stdin=shown.out.encode())
        assert again.server == registered("show", SERVER_ID).server


def test_a_rebuild_from_request_to_end(registered: Command) -> None:
    asked = registered("rebuild", SERVER_ID, "--request", "request.json").server
    assert (asked["status"], asked["progress"]) == ("REBUILD", 0)
    assert list(asked)[2:5] == ["addresses", "adminPass", "created"]
    assert (asked["adminPass"], asked["image"]["id"]) == (PASSWORD, NEW_IMAGE)
    assert registered("progress", SERVER_ID, "40").server["progress"] == 40
    done = registered("complete", SERVER_ID).server
    assert (done["status"], done["progress"]) == ("ACTIVE", 100)
    assert "adminPass" not in done


def test_a_rebuild_is_asked_for_by_options_beside_the_documented_request(
    registered: Command,
) -> None:
    asked = registered(
        *("rebuild", SERVER_ID, "--image", NEW_IMAGE.upper(), "--name", "foobar"),
        *("--metadata", "a=1=2", "--metadata", "b="),
    ).server
    assert (asked["image"]["id"], asked["name"]) == (NEW_IMAGE, "foobar")
    assert asked["metadata"] == {"a": "1=2", "b": ""}
    assert len(asked["adminPass"]) == 12
    again = registered("rebuild", SERVER_ID, "--image", OLD_IMAGE)
    assert again.code == 1, "a rebuild is under way"
    registered("complete", SERVER_ID)
    kept = registered("rebuild", SERVER_ID, "--image", OLD_IMAGE).server
    assert (kept["name"], kept["metadata"]) == ("foobar", {"a": "1=2", "b": ""})


def test_a_server_is_created_by_options_or_by_the_documented_request(command: Command) -> None:
    given = ("--name", "web", "--image", OLD_IMAGE, "--flavor", "1", "--metadata", "rack=7")
    created = command("create", *given).server
    assert (created["status"], created["name"], created["flavor"]["id"]) == ("BUILD", "web", "1")
    assert (created["image"]["id"], created["metadata"]) == (OLD_IMAGE, {"rack": "7"})
    assert len(created["adminPass"]) == 12
    request = {"name": "web", "imageRef": OLD_IMAGE, "flavorRef": "1", "metadata": {"rack": "7"}}
    body = json.dumps({"server": request | {"networks": "auto", "adminPass": PASSWORD}}).encode()
    asked = command("create", "--request", "-", stdin=body)
    assert asked.complaint == "--request: networks came, which decide nothing here"
    assert asked.server["adminPass"] == PASSWORD
    moving = ("adminPass", "id", "links", "created", "updated")
    for server in (created, other := asked.server):
        for member in moving:
            del server[member]
    assert created.keys() == other.keys()
    assert len(command("list", "--json").json["servers"]) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create"], "--name, --image, --flavor: nothing came, it is required without --request"),
        (["create", "--name", "a", "--flavor", "1"], "--image: nothing came"),
        (["create", "--request", "x", "--name", "a"], "--request: --name came with it"),
        (
            ["create", "--name", "a", "--flavor", "1", "--image", "x"],
            "--image: 'x' came, a UUID is allowed",
        ),
        (["rebuild", SERVER_ID], "--image: nothing came, it is required without --request"),
        (["rebuild", SERVER_ID, "--name", "a"], "--image: nothing came"),
        (
            ["rebuild", SERVER_ID, "--request", "x", "--image", "x", "--metadata", "a=b"],
            "--request: --image, --metadata came with it, one of both is allowed",
        ),
        (["rebuild", SERVER_ID, "--image", NEW_IMAGE, "--metadata", "a"], "--metadata: 'a' came"),
    ],
)
def test_options_and_a_request_are_two_ways_of_one_command(
    registered: Command, arguments: list[str], says: str
) -> None:
    wrong = registered(*arguments)
    assert (wrong.code, wrong.out) == (2, "")
    assert says in wrong.complaint
    assert len(registered("list", "--json").json["servers"]) == 1


def test_a_rebuild_may_end_at_another_percentage(registered: Command) -> None:
    registered("rebuild", SERVER_ID, "--request", "request.json")
    assert registered("complete", SERVER_ID, "--progress", "0").server["progress"] == 0


@pytest.mark.parametrize(
    ("stage", "image"), [([], NEW_IMAGE), (["--stage", "scheduling"], OLD_IMAGE)]
)
def test_a_rebuild_that_fails(registered: Command, stage: list[str], image: str) -> None:
    registered("rebuild", SERVER_ID, "--request", "request.json")
    failed = registered("fail", SERVER_ID, "--reason", "no room", *stage).server
    assert (failed["status"], failed["fault"]["message"]) == ("ERROR", "no room")
    assert failed["image"]["id"] == image


def test_a_request_is_read_from_stdin_as_v2_reads_it(registered: Command) -> None:
    # /v2 strips a name and overlooks what it does not know; /v2.1 refuses both.
    request = {"rebuild": {"imageRef": NEW_IMAGE, "name": " padded ", "unknown": 1}}
    body = json.dumps(request).encode()
    asked = registered("rebuild", SERVER_ID, "--request", "-", stdin=body).server
    assert asked["name"] == "padded"
    assert len(asked["adminPass"]) == 12


def test_a_command_sent_again_happens_once_and_tells_no_password(registered: Command) -> None:
    rebuild = ["rebuild", SERVER_ID, "--request", "request.json", "--request-id", "req-1"]
    first = registered(*rebuild).server
    registered("complete", SERVER_ID)
    again = registered(*rebuild).server
    assert first.pop("adminPass") == PASSWORD
    assert again == first
    assert len(registered("history", SERVER_ID, "--json").json) == 6


def test_a_server_that_was_adopted_in_build_is_built(command: Command) -> None:
    document = Path("server.json").read_text("utf-8").replace("ACTIVE", "BUILD")
    assert command("register", "--from", "-", stdin=document.encode()).server["status"] == "BUILD"
    assert command("built", SERVER_ID).server["status"] == "ACTIVE"


def test_settings_change(registered: Command) -> None:
    assert registered("rename", SERVER_ID, "-x", "--", "-x").code == 2, "an unknown option"
    assert registered("rename", SERVER_ID, "--", "-x").server["name"] == "-x"


def test_metadata_is_merged_replaced_and_taken_away(registered: Command) -> None:
    def metadata(*arguments: str) -> object:
        return registered("metadata", SERVER_ID, *arguments).server["metadata"]

    assert metadata("a=1=2", "b=") == {"stage": "before", "a": "1=2", "b": ""}
    assert metadata("--delete", "stage", "--delete", "b") == {"a": "1=2"}
    assert metadata("c=3", "--replace") == {"c": "3"}
    assert metadata("--replace", "--yes") == {}


def test_all_metadata_is_removed_only_by_who_says_so(registered: Command) -> None:
    wrong = registered("metadata", SERVER_ID, "--replace")
    assert (wrong.code, wrong.out) == (2, "")
    assert "--yes is required to remove all items" in wrong.complaint
    assert registered("show", SERVER_ID).server["metadata"] == {"stage": "before"}


@pytest.mark.parametrize(
    ("answer", "left"), [("n\n", {"stage": "before"}), ("", {"stage": "before"}), ("Yes\n", {})]
)
def test_on_a_terminal_who_removes_all_metadata_is_asked(
    registered: Command, monkeypatch: pytest.MonkeyPatch, answer: str, left: dict[str, str]
) -> None:
    asked = Terminal()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdin", Terminal(answer))
        patched.setattr(sys, "stderr", asked)
        code = run(app, ("metadata", SERVER_ID, "--replace"))
    assert asked.getvalue().startswith(f"Remove all metadata of server {SERVER_ID}? [y/N] ")
    assert (code, "nothing was changed" in asked.getvalue()) == ((1, True) if left else (0, False))
    registered("--version")
    assert registered("show", SERVER_ID).server["metadata"] == left


def test_states_and_locks_change(registered: Command) -> None:
    def status(*arguments: str) -> object:
        return registered(*arguments).server["status"]

    assert status("stop", SERVER_ID) == "SHUTOFF"
    assert status("start", SERVER_ID) == "ACTIVE"
    assert status("reset-state", SERVER_ID, "error", "--role", "admin") == "ERROR"
    assert status("reset-state", SERVER_ID, "active", "--role", "admin") == "ACTIVE"
    assert status("lock", SERVER_ID) == "ACTIVE"
    assert registered("stop", SERVER_ID).code == 1
    assert status("stop", SERVER_ID, "--role", "member", "--role", "admin") == "SHUTOFF"
    assert status("unlock", SERVER_ID) == "SHUTOFF"
    assert status("start", SERVER_ID) == "ACTIVE"


def test_what_changes_nothing_is_no_error_and_prints_the_server(registered: Command) -> None:
    shown = registered("show", SERVER_ID)
    assert registered("rename", SERVER_ID, shown.server["name"]) == shown


def test_a_deleted_server_is_gone_but_for_its_history(registered: Command) -> None:
    assert registered("delete", SERVER_ID) == (0, "", "")
    assert registered("show", SERVER_ID).code == 1
    assert registered("list", "--json").json == {"servers": []}
    assert registered("history", SERVER_ID, "--json").json[-1]["event"] == "ServerDeleted"
