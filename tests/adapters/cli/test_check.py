"""`check` says a line for each thing that does not hold, and exits with 4 if there is one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import SERVER_ID


def change(file: str, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def test_where_everything_holds_it_says_so(registered: Command) -> None:
    registered("list")

    assert registered("check") == (0, "everything holds\n", "")
    assert registered("check", "--json").json == {"findings": []}


def test_each_thing_is_a_line_and_the_exit_code_four(registered: Command) -> None:
    registered("list")
    change("cloud.db", "DROP TRIGGER commands_no_delete")
    change("cloud.db", "DELETE FROM commands")
    change("cloud.view.db", "UPDATE server_1 SET name = 'x'")

    ran = registered("check")
    assert (ran.code, ran.err) == (4, "")
    assert ran.out.splitlines() == [
        "the guard commands_no_delete is missing",
        "commands ends at command_id 0, the last one given was 1",
        "position 1: its command 1 is not there",
        "position 1: the log has another row where the view stands",
    ]
    asked = registered("check", "--json")
    assert asked.code == 4
    assert json.loads(asked.out)["findings"][2] == {
        "kind": "command",
        "what": "its command 1 is not there",
        "position": 1,
    }


def test_the_view_that_is_named_is_checked(registered: Command) -> None:
    registered("list", "--view", "elsewhere.db")
    change("elsewhere.db", "UPDATE server_1 SET name = 'x'")

    assert registered("check").code == 0
    ran = registered("check", "--view", "elsewhere.db")
    assert (ran.code, ran.out) == (4, f"server {SERVER_ID} is not the fold in name\n")


def test_what_somebody_wrote_cannot_make_a_terminal_do_anything(registered: Command) -> None:
    change("cloud.db", "CREATE TRIGGER [\x1b[31m] AFTER INSERT ON log BEGIN SELECT 1; END")

    ran = registered("check")
    assert ran.code == 4
    assert ran.out == "the trigger \\x1b[31m is none of the store's own\n"


def test_a_store_that_cannot_be_opened_to_be_used_can_be_checked(registered: Command) -> None:
    change("cloud.db", "DROP TABLE log")

    assert registered("show", SERVER_ID).code == 0
    assert registered("list").code == 3
    ran = registered("check")
    assert (ran.code, ran.err) == (4, "")
    assert "the table log is missing" in ran.out


def test_without_a_store_there_is_nothing_to_check(command: Command) -> None:
    ran = command("check")
    assert (ran.code, ran.out) == (3, "")
    assert "there is no store at" in ran.complaint
    assert not Path("cloud.db").exists()
    Path("cloud.db").write_bytes(b"x" * 10_000)
    assert command("check").code == 3
