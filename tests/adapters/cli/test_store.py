"""The store itself: a log moves, and the old place says where it went."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import SERVER_ID


def test_a_log_moves_and_the_old_place_says_where_it_went(registered: Command) -> None:
    here, there = Path("cloud.db").absolute(), Path("there.db").absolute()
    moved = registered("store", "copy", "cloud.db", "there.db")
    assert moved == (0, f"{here} went to {there}: 1 events, compared\n", "")
    assert registered("show", SERVER_ID).server["id"] == SERVER_ID
    refused = registered("stop", SERVER_ID)
    assert (refused.code, refused.out) == (3, "")
    assert f"{here} went to {there}: here it is only read" in refused.complaint
    assert registered("stop", SERVER_ID, "--store", "there.db").code == 0
    assert registered("check").code == 0


def test_it_is_told_as_json(registered: Command) -> None:
    told = registered("store", "copy", "sqlite:///cloud.db", "there.db", "--json").json
    assert told.keys() == {"from", "to", "log_id", "events"}
    assert (told["to"], told["events"]) == (str(Path("there.db").absolute()), 1)


def test_what_cannot_be_moved_is_told_in_a_line(registered: Command) -> None:
    assert registered("store", "copy", "none.db", "there.db").code == 3
    refused = registered("store", "copy", "cloud.db", "server.json")
    assert refused.code == 2
    assert refused.complaint.endswith("server.json' is there already, a new file is allowed")
