"""``generate``: an empty log filled, and any other left alone."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.cli.conftest import Command


def test_a_log_is_made_and_can_be_asked(command: Command) -> None:
    ran = command("generate", "--servers", "3")
    assert (ran.code, ran.err) == (0, "")
    events, servers = int(ran.out.split()[0]), int(ran.out.split()[3])
    assert servers == 3
    status = command("view", "status", "--json").json
    assert status["head"] == events
    assert 0 < len(command("list", "--json").json["servers"]) <= 3


def test_a_log_that_holds_anything_ends_with_1(registered: Command) -> None:
    before = Path("cloud.db").read_bytes()
    ran = registered("generate", "--servers", "3")
    assert (ran.code, ran.out) == (1, "")
    assert ran.complaint == "the log holds 1 events, an empty one is allowed"
    assert Path("cloud.db").read_bytes() == before


def test_a_number_that_cannot_be_ends_with_2_and_makes_no_file(command: Command) -> None:
    for number in ("0", "1000001", "many"):
        ran = command("generate", "--servers", number)
        assert (ran.code, ran.out) == (2, "")
        assert ran.complaint
    assert not Path("cloud.db").exists()
