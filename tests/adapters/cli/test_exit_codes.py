"""Whatever is wrong is one line on stderr, nothing on stdout, and the exit code says whose turn."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from pathlib import Path

import pytest

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import PASSWORD, SERVER_ID

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", UNKNOWN_ID], UNKNOWN_ID),
        (["show", "foobar"], "no server has the id or name 'foobar'"),
        (["history", UNKNOWN_ID], "never was"),
        (["rename", UNKNOWN_ID, "x"], "not there"),
        (["start", SERVER_ID], "ACTIVE"),
        (["complete", SERVER_ID], "no rebuild"),
        (["reset-state", SERVER_ID, "error"], "admin"),
        (["stop", SERVER_ID, "--role", "reader"], "reader"),
        (["metadata", SERVER_ID, "--delete", "absent"], "absent"),
        (["register", "--from", "server.json"], SERVER_ID),
        (["stop", SERVER_ID, "--expected-version", "7"], "version 7"),
        (["stop", SERVER_ID, "--at", "2012-09-12T17:20:35Z"], "17:20:36"),
        (["stop", SERVER_ID, "--at", "9000-01-01T00:00:00Z"], "five minutes"),
    ],
)
def test_the_log_the_clock_or_a_rule_says_no(
    registered: Command, arguments: list[str], says: str
) -> None:
    no = registered(*arguments)
    assert (no.code, no.out) == (1, "")
    assert says in no.complaint


def test_a_request_id_of_another_command_is_a_conflict(registered: Command) -> None:
    assert registered("stop", SERVER_ID, "--request-id", "req-1").code == 0
    taken = registered("start", SERVER_ID, "--request-id", "req-1")
    assert taken.code == 1
    assert "taken by another command: stop" in taken.complaint
    assert taken.complaint.endswith(
        "; each command needs an id of its own, as each new Context has"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["shw"], "serverdomain show"),
        (["show"], "SERVER"),
        (["show", SERVER_ID, "--jsn"], "--jsn"),
        (["show", SERVER_ID, "more"], "more"),
        (["--store", "sqlite:///cloud.db", "list"], "--store"),
        (["list", "--status", "gone"], "'active'"),
        (["list", "--image", "foobar"], "--image: 'foobar' came, a UUID"),
        (["list", "--name", "\udcff"], "UTF-8"),
        (["list", "--store", "mysql://x"], "sqlite:///relative.db"),
        (["stop", SERVER_ID, "--at", "2012-09-12T17:20:37"], "naive"),
        (["stop", SERVER_ID, "--at", "2016-12-31T23:59:60Z"], "second 60"),
        (["stop", SERVER_ID, "--at", "yesterday"], "RFC 3339"),
        (["stop", SERVER_ID, "--request-id", "a b"], "request_id"),
        (["stop", SERVER_ID, "--user", ""], "user_id"),
        (["stop", SERVER_ID, "--role", ""], "roles"),
        (["stop", SERVER_ID, "--expected-version", "one"], "--expected-version"),
        (["show", SERVER_ID, "--endpoint", "127.0.0.1:8774"], "--endpoint"),
        (["show", SERVER_ID, "--endpoint", "http://["], "--endpoint"),
        (["progress", SERVER_ID, "101"], "0 to 100"),
        (["progress", SERVER_ID, "half"], "integer"),
        (["complete", SERVER_ID, "--progress", "-1"], "0 to 100"),
        (["fail", SERVER_ID], "--reason"),
        (["fail", SERVER_ID, "--reason", "x", "--stage", "y"], "'hypervisor'"),
        (["reset-state", SERVER_ID, "SHUTOFF"], "'active', 'error'"),
        (["rename", SERVER_ID, " "], "blank"),
        (["rename", SERVER_ID, "\udcff"], "UTF-8"),
        (["metadata", SERVER_ID], "KEY=VALUE"),
        (["metadata", SERVER_ID, "a"], "KEY=VALUE"),
        (["metadata", SERVER_ID, "a=1", "--delete", "b"], "--delete"),
        (["metadata", SERVER_ID, "--replace", "--delete", "b"], "--delete"),
        (["metadata", SERVER_ID, f"a={'ü' * 128}"], "256 bytes"),
        (["demo", "--store", "memory:"], "memory:"),
    ],
)
def test_the_words_alone_are_wrong(registered: Command, arguments: list[str], says: str) -> None:
    wrong = registered(*arguments)
    assert (wrong.code, wrong.out) == (2, "")
    assert says in wrong.complaint
    assert len(registered("history", SERVER_ID, "--json").json) == 1


def test_no_store_is_a_usage_error_that_names_both_ways(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for empty in (None, ""):
        monkeypatch.delenv("SERVERDOMAIN_STORE", raising=False)
        if empty is not None:
            monkeypatch.setenv("SERVERDOMAIN_STORE", empty)
        wrong = command("list")
        assert wrong.code == 2
        assert "--store" in wrong.complaint
        assert "SERVERDOMAIN_STORE" in wrong.complaint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STORE", "mysql://x"),
        ("ENDPOINT", "nowhere"),
        ("AT", "now"),
        ("EXPECTED_VERSION", "x"),
        ("REQUEST_ID", "a b"),
        ("LOCK_TIMEOUT", "soon"),
    ],
)
def test_a_variable_may_be_wrong_too(
    registered: Command, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"SERVERDOMAIN_{name}", value)
    wrong = registered("stop", SERVER_ID)
    assert wrong.code == 2
    assert repr(value) in wrong.complaint or name in wrong.complaint


def test_shared_options_are_read_from_variables_behind_the_command_line(
    registered: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"USER": "u-1", "PROJECT": "p-1", "ROLE": "admin member", "REQUEST_ID": "req-1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"SERVERDOMAIN_{name}", value)
    assert registered("reset-state", SERVER_ID, "error", "--user", "u-2").code == 0
    entry = registered("history", SERVER_ID, "--json").json[-1]
    assert entry["user_id"] == "u-2"
    assert (entry["project_id"], entry["request_id"]) == ("p-1", "req-1")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "array"),
        (b'{"rebuild": {"adminPass": "seekr3t"}}', "imageRef"),
        (b'{"rebuild": {"imageRef": "x", "adminPass": 5318008}}', "rebuild"),
        (b" " * (112 * 1024 + 1), "114688 bytes"),
    ],
)
def test_a_request_that_is_none(registered: Command, body: bytes, says: str) -> None:
    wrong = registered("rebuild", SERVER_ID, "--request", "-", stdin=body)
    assert (wrong.code, wrong.out) == (2, "")
    assert says in wrong.complaint
    assert PASSWORD not in wrong.err
    assert "5318008" not in wrong.err


def test_a_file_that_cannot_be_read(command: Command, folder: Path) -> None:
    for given in ("absent.json", ".", "server.json/x", "x" * 300, "a\0b"):
        wrong = command("register", "--from", given)
        assert (wrong.code, wrong.out) == (2, "")
        assert "--from" in wrong.complaint
    assert "seekr3t" not in command("register", "--from", '{"adminPass": "seekr3t"}').complaint
    assert not Path("cloud.db").exists()


def test_stdin_may_be_closed(registered: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from serverdomain.adapters.cli.body import read
    from serverdomain.errors import InvalidInput

    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InvalidInput, match="stdin is closed"):
        read("--from", "-", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--from", "bad.json"],
        ["--from", "server.json", "--at", "now"],
        ["--from", "server.json", "--endpoint", "nowhere"],
        ["--from", "server.json", "--request-id", ""],
    ],
)
def test_register_makes_the_store_only_for_a_good_document(
    command: Command, wrong: list[str]
) -> None:
    Path("bad.json").write_text('{"server": {}}', "utf-8")
    assert command("register", *wrong).code == 2
    assert not Path("cloud.db").exists()
    assert command("register", "--from", "server.json").code == 0
    assert Path("cloud.db").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", SERVER_ID],
        ["list"],
        ["history", SERVER_ID],
        ["view", "status"],
        ["view", "replay"],
        ["stop", SERVER_ID],
        ["rebuild", SERVER_ID, "--request", "request.json"],
        ["delete", SERVER_ID],
    ],
)
def test_other_commands_say_that_there_is_no_store(command: Command, arguments: list[str]) -> None:
    missing = command(*arguments)
    assert (missing.code, missing.out) == (3, "")
    assert "there is no store" in missing.complaint
    assert not Path("cloud.db").exists()


def test_a_store_or_a_view_that_cannot_be_used(registered: Command, folder: Path) -> None:
    shutil.copy("cloud.db", "copy.db")
    Path("empty.db").touch()
    Path("text.db").write_text("x" * 200, "utf-8")
    stores = {
        "sqlite:///empty.db": "no store",
        "sqlite:///text.db": "no SQLite database",
        "sqlite:///absent/cloud.db": "folder",
        f"sqlite:///{folder}": "folder",
        "memory:": "no store",
    }
    for store, says in stores.items():
        missing = registered("list", "--store", store)
        assert (missing.code, missing.out) == (3, "")
        assert says in missing.complaint
    for view in ("text.db", "cloud.db", "absent/view.db"):
        foreign = registered("list", "--view", view)
        assert (foreign.code, foreign.out) == (3, "")
        assert view in foreign.complaint
    assert Path("text.db").read_text("utf-8") == "x" * 200


def test_a_login_name_is_needed_where_none_is_given(
    registered: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert registered("show", SERVER_ID).code == 0
    nameless = registered("stop", SERVER_ID)
    assert nameless.code == 2
    assert "--user" in nameless.complaint
    assert registered("stop", SERVER_ID, "--user", "u-1").code == 0


def test_a_folder_that_is_gone(registered: Command, folder: Path) -> None:
    gone = folder / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    nowhere = registered("show", SERVER_ID)
    assert nowhere.code == 3
    assert "the working folder is gone: an absolute path is allowed" in nowhere.complaint
