"""docs/cli.md describes every command and option that there is, and no other."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.examples import EXAMPLES

PAGE = (Path(__file__).parents[3] / "docs/cli.md").read_text("utf-8")
NEXT_PART = "\n## "
OPTION = re.compile(r"(?<![\w-])(?:--[a-z][a-z-]*|-[a-z](?![\w-]))")


def commands(group: Any = None, *above: str) -> Iterator[tuple[str, list[Any]]]:
    """Each command's words, and its parameters without ``--help``."""
    for name, command in (group or get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *above, name)
        else:
            yield " ".join([*above, name]), command.params


def options(parameters: list[Any], *, shared: bool) -> set[str]:
    return {
        parameter.opts[0]
        for parameter in parameters
        if parameter.param_type_name == "option" and bool(parameter.envvar) == shared
    }


def sections() -> dict[str, str]:
    """Under the words of its heading, each section; the heading is its first line."""
    found = re.split(r"^### `(.*)`$", PAGE, flags=re.MULTILINE)
    return {
        heading: f"{heading}\n{text.split(NEXT_PART)[0]}"
        for heading, text in zip(found[1::2], found[2::2], strict=True)
    }


def test_every_command_has_a_section_that_names_its_own_options() -> None:
    there = dict(commands())
    described = {}
    for heading, text in sections().items():
        known = [words for words in there if f"{heading} ".startswith(f"{words} ")]
        described[max(known, key=len, default=heading)] = text
    assert list(described) == list(there), "in the order of --help"
    for words, text in described.items():
        own = options(there[words], shared=False)
        everything = own | options(there[words], shared=True)
        also = {name for parameter in there[words] for name in parameter.opts[1:]}
        named = set(OPTION.findall(text))
        assert own <= named <= everything | also | {"--at", "--json", "--columns"}, words


def test_a_heading_shows_what_must_be_given() -> None:
    for heading, (words, parameters) in zip(sections(), commands(), strict=True):
        shown = heading.removeprefix(words)
        for parameter in parameters:
            if parameter.param_type_name == "argument":
                assert parameter.metavar in shown, words
            elif parameter.required and not parameter.envvar:
                assert f"{parameter.opts[0]} {parameter.metavar.partition('|')[0]}" in shown, words


def test_shared_options_are_described_once_with_their_variables_and_defaults() -> None:
    rows = re.findall(r"^\| `(--[a-z-]+)` \| `(\w+)` \|.*\| (.*) \|$", PAGE, re.MULTILINE)
    there: dict[str, Any] = {}
    for _, parameters in commands():
        # The default that is described is that of most commands, which come first.
        there = {one.opts[0]: one for one in parameters if one.envvar} | there
    assert {option: variable for option, variable, _ in rows} == {
        option: parameter.envvar for option, parameter in there.items()
    }
    for option, _, default in rows:
        stated = there[option].default
        if stated not in (None, False):
            value = stated[0] if isinstance(stated, list) else stated
            assert default == f"`{value}`", option


def test_every_option_says_what_it_is_for() -> None:
    for words, parameters in commands():
        for parameter in parameters:
            assert parameter.help, f"{words} {parameter.name}"


def test_the_help_of_every_command_ends_with_an_example_that_it_takes() -> None:
    assert list(EXAMPLES) == [words for words, _ in commands()], "in the order of --help"
    for words, example in EXAMPLES.items():
        above, _, name = words.rpartition(" ")
        group: Any = get_command(app)
        context = group.make_context("serverdomain", [], resilient_parsing=True)
        for word in words.split():
            group = group.commands[word]
            context = group.context_class(group, info_name=word, parent=context)
        group.make_context(name, shlex.split(example), parent=context.parent)
        assert group.get_help(context).endswith(f"\n\nExample:\n  serverdomain {words} {example}")
        assert not above or above in words
