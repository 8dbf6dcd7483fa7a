"""A reaction that stopped is looked at, resumed or skipped from a shell."""

from __future__ import annotations

import pytest

from serverdomain import Servers
from serverdomain.projections.happened import Happened
from tests.adapters.cli.conftest import Command


def stopped(registered: Command) -> None:
    def fails(happened: Happened) -> None:
        raise RuntimeError("no\nroom")

    with Servers.open("sqlite:///cloud.db", create=False) as servers:
        reaction = servers.react("billing", fails, start="beginning", attempts=1)
        assert reaction.stopped.wait(20)


def test_the_reactions_are_listed_with_the_reason_why_one_stopped(registered: Command) -> None:
    assert registered("reactions", "list") == (0, "", "")
    stopped(registered)

    assert registered("reactions", "list", "--json").json == {
        "reactions": [
            {"name": "billing", "position": 0, "stopped_at": 1, "why": "RuntimeError: no\nroom"}
        ]
    }
    listed = registered("reactions", "list").out
    assert "billing is done up to position 0; stopped at 1: RuntimeError" in listed
    assert listed.count("\n") == 1


@pytest.mark.parametrize(("word", "position"), [("resume", 0), ("skip", 1)])
def test_a_stopped_one_tries_again_or_goes_on(
    registered: Command, word: str, position: int
) -> None:
    stopped(registered)

    assert registered("reactions", word, "billing") == (0, "", "")

    assert registered("reactions", "list", "--json").json == {
        "reactions": [{"name": "billing", "position": position, "stopped_at": None, "why": None}]
    }


def test_one_that_is_not_there_is_told_in_one_line(registered: Command) -> None:
    said = registered("reactions", "skip", "billing")

    assert (said.code, said.out) == (1, "")
    assert "'billing' is not there" in said.err
