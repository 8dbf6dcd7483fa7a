"""A word of the command line that is no UTF-8 gets a line, whatever it is a word for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import SERVER_ID
from tests.adapters.cli.test_documented import commands

# These run until they are stopped, or on a store of their own.
PASSED_OVER = {"serve", "wait", "demo"}

PARAMETERS = [
    (name, parameter)
    for name, parameters in commands()
    if name.split()[0] not in PASSED_OVER
    for parameter in parameters
    if not getattr(parameter, "is_flag", False) and parameter.name != "help"
]


@pytest.mark.parametrize(
    ("name", "parameter"), PARAMETERS, ids=lambda given: getattr(given, "name", given)
)
def test_no_word_is_answered_with_a_traceback(
    registered: Command, name: str, parameter: Any
) -> None:
    arguments = []
    for one in dict(commands())[name]:
        if one.param_type_name == "argument" and (one.required or one.name == parameter.name):
            arguments.append("\udcff" if one.name == parameter.name else SERVER_ID)
    if parameter.param_type_name == "option":
        arguments += [parameter.opts[0], "\udcff"]

    ran = registered(*name.split(), *arguments)

    assert ran.code in (0, 1, 2, 3)
    assert len(ran.err.splitlines()) == (ran.code != 0)
