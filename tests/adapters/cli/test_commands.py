"""What each command does to a server, and that it prints the server as it then is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, OLD_IMAGE, PASSWORD, SERVER_ID


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
    assert metadata("--replace") == {}


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
