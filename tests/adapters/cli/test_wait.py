"""Waiting for a server: what ends it, and how that is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import SERVER_ID, environment


def test_a_server_that_is_there_already_is_shown(registered: Command) -> None:
    assert registered("wait", SERVER_ID, "--status", "ACTIVE").server["id"] == SERVER_ID


def test_what_another_process_does_ends_it(registered: Command, folder: Path) -> None:
    registered("rebuild", SERVER_ID, "--request", "request.json")
    waiting = subprocess.Popen(
        [sys.executable, "-m", "serverdomain", "wait", SERVER_ID, "--status", "ACTIVE"],
        stdout=subprocess.PIPE,
        env=environment(SERVERDOMAIN_STORE="sqlite:///cloud.db"),
        cwd=folder,
        text=True,
    )
    assert registered("complete", SERVER_ID).code == 0
    assert '"status": "ACTIVE"' in waiting.communicate(timeout=60)[0]
    assert waiting.returncode == 0


def test_an_error_that_comes_first_fails_and_says_why(registered: Command) -> None:
    registered("rebuild", SERVER_ID, "--request", "request.json")
    registered("fail", SERVER_ID, "--reason", "The disk is full.")
    ran = registered("wait", SERVER_ID, "--status", "ACTIVE")
    assert (ran.code, ran.out) == (1, "")
    assert ran.complaint == (
        f"server {SERVER_ID} is ERROR, ACTIVE was waited for: The disk is full."
    )
    assert registered("wait", SERVER_ID, "--status", "ERROR").code == 0


def test_so_does_the_time_when_it_is_over(registered: Command) -> None:
    ran = registered("wait", SERVER_ID, "--status", "SHUTOFF", "--timeout", "0.1")
    assert ran.code == 1
    assert ran.complaint == f"server {SERVER_ID} is ACTIVE after 0.1 s, SHUTOFF was waited for"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([SERVER_ID[::-1], "--status", "ACTIVE"], 1),
        ([SERVER_ID, "--status", "GONE"], 2),
        ([SERVER_ID], 2),
        ([SERVER_ID, "--status", "ACTIVE", "--timeout", "-1"], 2),
    ],
)
def test_what_cannot_be_waited_for_is_one_line(
    registered: Command, arguments: list[str], code: int
) -> None:
    ran = registered("wait", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.complaint
