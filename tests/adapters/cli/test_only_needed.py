"""What is left out of the commands that nobody asked for is missed by nobody."""

from __future__ import annotations

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.only_needed import only_needed
from tests.adapters.cli.test_documented import commands


@pytest.mark.parametrize("words", ["", "ledger", *dict(commands())])
def test_help_says_the_same(words: str) -> None:
    asked = [*words.split(), "--help"]
    whole, slim = (CliRunner().invoke(one, asked) for one in (app, only_needed(app, asked)))
    assert (whole.exit_code, whole.output) == (slim.exit_code, slim.output)
    assert whole.exit_code == 0


def test_the_others_have_no_parameters() -> None:
    made = get_command(only_needed(app, ["show", "--help"])).commands
    assert [name for name, one in made.items() if len(one.params) > 1] == ["show"]
    assert not any(one.params for one in made["ledger"].commands.values())
