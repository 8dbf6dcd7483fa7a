"""A folder to stand in, with the documented request and a server, and the command in it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from serverdomain.adapters.cli import demo
from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run
from tests.adapters.cli.terminal import Ran, environment

Command = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOGNAME", "fake")
    monkeypatch.setenv("SERVERDOMAIN_STORE", "sqlite:///cloud.db")
    Path("server.json").write_text(demo.BEFORE, "utf-8")
    Path("request.json").write_text(demo.REQUEST, "utf-8")
    return tmp_path


@pytest.fixture
def command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run the command, within this process, on an empty folder."""

    def run_it(*arguments: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(app, arguments)
        return Ran(code, *capsys.readouterr())

    return run_it


@pytest.fixture
def registered(command: Command) -> Command:
    """The same, where the server is in the log."""
    assert command("register", "--from", "server.json").code == 0
    return command
