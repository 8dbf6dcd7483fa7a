"""SERVER is an id, the beginning of one, or a name, wherever a command takes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest

from serverdomain.adapters.cli import completion
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, SERVER_ID, environment, process

OTHER_ID = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
STORE = {"SERVERDOMAIN_STORE": "sqlite:///cloud.db"}


@pytest.fixture
def two(registered: Command) -> Command:
    """The server of the documented answer, `unfoobar`, and one named `my db`."""
    other = json.loads(Path("server.json").read_text("utf-8"))
    other["server"] |= {"id": OTHER_ID, "name": "my db"}
    assert registered("register", "--from", "-", stdin=json.dumps(other).encode()).code == 0
    return registered


@pytest.mark.parametrize("named", ["unfoobar", "075e", "075E40FE-9f", SERVER_ID])
def test_every_command_takes_it(two: Command, named: str) -> None:
    assert two("show", named).server["id"] == SERVER_ID
    assert {one["server_id"] for one in two("history", named, "--json").json} == {SERVER_ID}
    assert two("diff", named, "position:0", "now", "--json").json["to"]["server_id"] == SERVER_ID
    both = two("diff", named, "my db", "--json").json
    assert (both["from"], both["to"]) == ({"server_id": SERVER_ID}, {"server_id": OTHER_ID})
    assert two("wait", named, "--status", "ACTIVE").server["id"] == SERVER_ID
    assert two("metadata", named, "a=b").server["id"] == SERVER_ID
    assert two("lock", named).server["id"] == SERVER_ID
    supposed = two("what-if", named, "--drop", "position:3", "--json").json
    assert supposed["server_id"] == SERVER_ID


def test_the_log_says_no_where_no_server_or_more_than_one_fits(two: Command) -> None:
    two("rename", OTHER_ID, "unfoobar")
    for ask in (["show", "unfoobar"], ["lock", "unfoobar"], ["history", "unfoobar"]):
        no = two(*ask)
        assert (no.code, no.out) == (1, "")
        assert no.complaint.startswith("'unfoobar' fits 2 servers, the id of one is allowed: ")
        assert f"{OTHER_ID} ('unfoobar', ACTIVE)" in no.complaint
    no = two("show", "nobody")
    assert (no.code, no.out) == (1, "")
    assert no.complaint.startswith("no server has the id or name 'nobody'")
    assert len(two("history", SERVER_ID, "--json").json) == 1, "and nothing was recorded"


def test_only_a_whole_id_or_name_is_deleted_and_counts_ever_after(two: Command) -> None:
    no = two("delete", "155d")
    assert (no.code, no.complaint) == (1, "no server has the id or name '155d'")
    assert two("delete", "my db").code == 0
    assert two("history", "my db", "--json").json[-1]["event"] == "ServerDeleted"
    no = two("show", "my db")
    assert (no.code, no.complaint) == (1, f"server {OTHER_ID} is not there")
    two("rename", SERVER_ID, "my db")
    assert f"{OTHER_ID} ('my db', deleted)" in two("delete", "my db").complaint


def test_a_command_that_is_asked_again_finds_its_server_whatever_it_is_named_now(
    two: Command,
) -> None:
    rename = ("rename", "unfoobar", "other", "--request-id", "req-1")
    first = two(*rename)
    two("rename", OTHER_ID, "unfoobar")
    assert two(*rename) == first
    assert two("rename", "my db", "other", "--request-id", "req-1").code == 1


def test_a_view_by_its_variable_is_the_one_that_is_asked(
    two: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_VIEW", "elsewhere.db")
    assert two("show", "unfoobar").code == 0
    assert Path("elsewhere.db").exists()
    assert not Path("cloud.view.db").exists()


def test_a_whole_id_needs_no_view(two: Command) -> None:
    two("show", SERVER_ID)
    two("lock", SERVER_ID)
    assert not Path("cloud.view.db").exists()


def offered(folder: Path, typed: str, **settings: str) -> list[str]:
    words = environment(
        _SERVERDOMAIN_COMPLETE="complete_bash",
        COMP_WORDS=f"serverdomain {typed}",
        COMP_CWORD=str(len(typed.split(" "))),
        **settings,
    )
    ran = process(folder=folder, env=words)
    assert ran.stderr == ""
    return ran.stdout.split()


def test_the_shell_completes_it(two: Command, folder: Path) -> None:
    assert offered(folder, "show un", **STORE) == ["unfoobar"]
    assert offered(folder, "diff 075e", **STORE) == [SERVER_ID]
    assert offered(folder, "lock my", **STORE) == [], "as no name that is more than a word"
    assert offered(folder, "lock 155d", **STORE) == [OTHER_ID]
    assert offered(folder, "ledger prove server:un", **STORE) == ["server:unfoobar"]
    assert offered(folder, "show --store sqlite:///cloud.db un") == ["unfoobar"]
    for nothing in ("show un", "show --store sqlite:///none.db un", f"show {NEW_IMAGE[:6]}"):
        assert offered(folder, nothing) == []


def test_of_a_view_that_is_far_behind_nothing_is_completed(
    two: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asked:
        params: ClassVar = {"url": "sqlite:///cloud.db"}

    two("show", "unfoobar")
    assert completion.servers(Asked(), "un") == [("unfoobar", "ACTIVE")]
    monkeypatch.setattr(completion, "_MOST_BEHIND", 0)
    two("lock", SERVER_ID)
    assert completion.servers(Asked(), "un") == []
