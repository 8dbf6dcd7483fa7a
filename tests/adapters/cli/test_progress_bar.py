"""Whoever waits at a terminal sees on stderr how far long work is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.text import Text

from serverdomain.adapters.cli import progress_bar
from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import SERVER_ID, Terminal

POSITIONS = ("diff", "--fleet", "position:1", "position:2")
LEDGER = ("--checkpoint", "signed")
LONG: dict[str, tuple[str, ...]] = {
    "check": ("check",),
    "what-if": ("what-if", SERVER_ID, "--drop", "req-1"),
    "diff": POSITIONS,
    "checkpoint": ("ledger", "checkpoint", "--key", "key", "--out", "other"),
    "verify": ("ledger", "verify", *LEDGER, "--key", "key"),
    "prove": ("ledger", "prove", "1", *LEDGER),
    "consistency": ("ledger", "consistency", "signed", "signed"),
    "replay": ("view", "replay"),
    "fleet": ("list", "--as-of", "position:1"),
    "timeline": ("report", "metadata"),
    "view": ("list",),
}


@pytest.fixture
def renamed(registered: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same, where nothing is too short to be waited for."""
    monkeypatch.setattr(progress_bar, "_LONG", 1)
    monkeypatch.setenv("TERM", "xterm")
    registered("rename", SERVER_ID, "a", "--request-id", "req-1")
    assert registered("ledger", "checkpoint", "--key", "key", "--out", "signed").code == 0
    return registered


@pytest.mark.parametrize("work", LONG)
def test_long_work_shows_how_far_it_is(
    renamed: Command, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    page = Terminal()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", page)
        assert run(app, LONG[work]) == 0
    shown = Text.from_ansi(page.getvalue()).plain
    assert f"{work} ━" in shown
    assert "100%" in shown


@pytest.mark.parametrize("work", LONG)
def test_where_stderr_is_no_terminal_nothing_is_shown(renamed: Command, work: str) -> None:
    ran = renamed(*LONG[work])
    assert (ran.code, ran.err) == (0, "")


def test_a_fleet_is_generated_with_a_progress_bar(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", page)
    assert run(app, ("generate", "--servers", "1")) == 0
    assert "generate ━" in Text.from_ansi(page.getvalue()).plain
