"""What a type checker sees of `AsyncServers`: what a method takes, and what comes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.imports import ROOT

USE = """
from typing import assert_type
from serverdomain import Accepted, AsyncServers, Outcome, RebuildServer, Server
from serverdomain.domain.commands import RecordFacts, StopServer

async def use(servers: AsyncServers, rebuild: RebuildServer, facts: RecordFacts) -> None:
    assert_type(await servers.rebuild("id", rebuild, expected_version=1), Accepted)
    assert_type(await servers.record("id", []), Outcome)
    assert_type(await servers.command("id", StopServer()), Accepted)
    assert_type(await servers.command("id", facts), Outcome)
    assert_type(await servers.list(status="ACTIVE"), list[Server])
    assert_type(await servers.ask(lambda servers: servers.log_id), str)
    async with AsyncServers.open("memory:", create=True) as opened:
        assert_type(opened, AsyncServers)
    async for server in servers.follow("id"):
        assert_type(server, Server)
    await servers.rebuild("id", "image")  # wrong
    await servers.rebuild("id", rebuild, expected="1")  # wrong
    await servers.list(state="ACTIVE")  # wrong
    AsyncServers.open(7)  # wrong
    servers.get("id").name  # wrong
"""


@pytest.mark.slow
def test_a_type_checker_sees_what_a_method_takes_and_what_is_awaited(tmp_path: Path) -> None:
    path = tmp_path / "use.py"
    path.write_text(USE, "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", path],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    lines = [number for number, line in enumerate(USE.splitlines(), 1) if "# wrong" in line]
    found = [line.split(":")[1] for line in run.stdout.splitlines() if ": error:" in line]
    assert found == [str(number) for number in lines], run.stdout
