"""`backup` copies the log into one new file, and says what is in it."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import SERVER_ID


def test_it_says_what_the_copy_holds(registered: Command) -> None:
    assert registered("backup", "copy.db") == (0, "copy.db holds 1 events\n", "")
    assert registered("show", SERVER_ID, "--store", "sqlite:///copy.db").server["id"] == SERVER_ID


def test_a_key_signs_it_and_it_is_read_back(registered: Command) -> None:
    ran = registered("backup", "copy.db", "--key", "audit.key", "--verify")
    assert ran.code == 0
    assert [line.partition(", root ")[0] for line in ran.out.splitlines()] == [
        "audit.key is a new key, and audit.key.pub its public half",
        "copy.db holds 1 events",
        "copy.db.checkpoint covers them",
        "it was read back, and everything holds",
    ]
    keys = ("--checkpoint", "copy.db.checkpoint", "--key", "audit.key.pub")
    assert registered("ledger", "verify", *keys, "--store", "sqlite:///copy.db").code == 0


def test_it_is_told_as_json(registered: Command) -> None:
    told = registered("backup", "copy.db", "--json").json
    assert told == {"backup": "copy.db", "events": 1, "checkpoint": None}
    told = registered("backup", "other.db", "--key", "audit.key", "--json").json
    assert told["checkpoint"].keys() == {"file", "size", "root"}
    assert (told["checkpoint"]["file"], told["checkpoint"]["size"]) == ("other.db.checkpoint", 1)


def test_a_file_that_is_there_is_refused(registered: Command) -> None:
    Path("copy.db").write_text("mine", "utf-8")
    ran = registered("backup", "copy.db")
    assert ran.code == 2
    assert ran.complaint.endswith("copy.db' is there already, a new file is allowed")
    assert Path("copy.db").read_text("utf-8") == "mine"


def test_where_there_is_no_store_none_is_made(command: Command) -> None:
    ran = command("backup", "copy.db")
    assert (ran.code, ran.out) == (3, "")
    assert "there is no store at" in ran.complaint
    assert not Path("copy.db").exists()
