"""The words of the command line: help everywhere, whole sentences, and the nearest word."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from serverdomain.adapters.cli.examples import EXAMPLES
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.test_documented import commands

GROUPS = ("report", "view", "reactions", "ledger")


@pytest.mark.parametrize("asked", [(), *((group,) for group in GROUPS)])
def test_a_group_alone_prints_its_help_and_ends_with_2(
    command: Command, asked: tuple[str, ...]
) -> None:
    alone = command(*asked)
    assert alone.code == 2
    assert alone.out == command(*asked, "--help").out
    name = asked[0] if asked else "command"
    assert alone.complaint == f"{name}: nothing came, one of these commands is allowed"


def test_h_is_help_everywhere(command: Command) -> None:
    everything = [words.split() for words, _ in commands()]
    for words in ([], *([group] for group in GROUPS), *everything):
        short = command(*words, "-h")
        assert (short.code, short.err) == (0, "")
        assert short.out.startswith(f"Usage: {' '.join(['serverdomain', *words])} ")
        assert "-h, --help" in short.out


@pytest.mark.parametrize(
    ("group", "begins"),
    [((), "demo"), (("ledger",), "ledger checkpoint"), (("store",), "store init")],
)
def test_the_help_of_a_group_ends_with_the_example_of_where_one_begins(
    command: Command, group: tuple[str, ...], begins: str
) -> None:
    example = f"\n\nExample:\n  serverdomain {begins} {EXAMPLES[begins]}\n"
    assert command(*group, "--help").out.endswith(example)


def test_the_version_is_printed(command: Command) -> None:
    assert command("--version") == (0, f"serverdomain {version('serverdomain')}\n", "")


@pytest.mark.parametrize("columns", ["40", "80", "200"])
@pytest.mark.parametrize("group", [(), *((group,) for group in GROUPS)])
def test_help_of_a_group_has_every_sentence_whole(
    command: Command, group: tuple[str, ...], columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.main import get_command

    from serverdomain.adapters.cli.app import app

    monkeypatch.setenv("COLUMNS", columns)
    told = " ".join(command(*group, "--help").out.split())
    listed = get_command(app)
    for word in group:
        listed = listed.commands[word]
    for one in listed.commands.values():
        sentence = " ".join(one.help.split("\n\n")[0].split())
        assert f"{one.name} {sentence}" in told


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        ("shwo", "serverdomain show"),
        ("lsit --json", "serverdomain list"),
        ("hist x", "serverdomain history"),
        ("rebuilds", "serverdomain report rebuilds"),
        ("verify --key x", "serverdomain ledger verify"),
        ("metadata_ x", "serverdomain metadata"),
        ("report rebuild", "serverdomain report rebuilds"),
        ("ledger chekpoint", "serverdomain ledger checkpoint"),
        ("list --stauts x", "--status"),
        ("ledger verify --chekpoint x", "--checkpoint"),
        ("--vesion", "--version"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_nearest_one(
    command: Command, words: str, nearest: str
) -> None:
    wrong = command(*words.split())
    assert (wrong.code, wrong.out) == (2, "")
    assert f", the nearest is {nearest}; serverdomain" in wrong.complaint


def test_what_is_like_nothing_is_sent_to_the_help(command: Command) -> None:
    for words, says in (
        ("zzz", "no such command 'zzz'; serverdomain --help says what is allowed"),
        ("list --zzz", "no such option: --zzz; serverdomain list --help says what is allowed"),
        ("--store x list", "no such option: --store, options follow the name of their command"),
    ):
        wrong = command(*words.split())
        assert (wrong.code, wrong.out) == (2, "")
        assert wrong.complaint.startswith(says)
