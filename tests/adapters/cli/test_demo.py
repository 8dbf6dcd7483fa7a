"""The demo, and the three commands that it ends with."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from serverdomain.adapters.cli import demo
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import (
    NEW_IMAGE,
    OLD_IMAGE,
    PASSWORD,
    SERVER_ID,
    environment,
    process,
)

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests/data"


def shown_servers(out: str) -> list[dict[str, object]]:
    return [
        json.loads(document)["server"]
        for document in re.findall(r'^\{\n  "server": .*?^\}$', out, re.MULTILINE | re.DOTALL)
    ]


def test_the_demo_tells_the_documented_rebuild(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    ran = command("demo")
    assert (ran.code, ran.err) == (0, "")
    accepted, now, before = shown_servers(ran.out)
    assert (accepted["status"], accepted["progress"]) == ("REBUILD", 0)
    assert accepted.pop("adminPass") == PASSWORD
    assert (now["status"], now["progress"]) == ("ACTIVE", 100)
    assert (before["name"], before["metadata"]) == ("unfoobar", {"stage": "before"})
    documented = json.loads((DATA / "rebuild-answer.json").read_text("utf-8"))["server"]
    moving = {"status": "ACTIVE", "progress": 0, "updated": documented["updated"]}
    assert now | moving | {"adminPass": PASSWORD} == documented
    assert ran.out.count(PASSWORD) == 2, "in the request and in the 202 alone"
    assert "100%" in ran.out
    assert f'    /image/id: "{OLD_IMAGE}" -> "{NEW_IMAGE}"' in ran.out
    assert "RebuildCompleted  by system" in ran.out
    assert not (folder / "cloud.db").exists(), "the store of the environment is nobody's playground"


def test_the_demo_sends_the_documented_request() -> None:
    documented = (DATA / "rebuild-request.json").read_text("utf-8")
    assert json.loads(demo.REQUEST) == json.loads(documented)
    without_indent = re.sub(r"^ +", "", demo.REQUEST, flags=re.MULTILINE)
    assert without_indent == documented.strip()


def test_what_it_ends_with_works_when_pasted(tmp_path: Path) -> None:
    folder = tmp_path / "it's a place"
    folder.mkdir()
    ran = process("demo", "--store", f"sqlite:///{folder}/cloud.db", folder=ROOT)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"The log lies in {folder}/cloud.db." in ran.stdout
    commands = ran.stdout.rpartition("try on it:\n\n")[2].splitlines()
    assert len(commands) == 3
    for command in commands:
        tried = subprocess.run(
            ["sh", "-c", command],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env=environment(PATH="/usr/bin:/bin"),
        )
        assert (tried.returncode, tried.stderr) == (0, ""), command
        assert SERVER_ID in tried.stdout
    assert "barfoo" in tried.stdout, "the history tells what the command before it did"


def test_a_second_demo_in_one_place_is_a_conflict(command: Command) -> None:
    assert command("demo", "--store", "sqlite:///demo.db").code == 0
    again = command("demo", "--store", "sqlite:///demo.db")
    assert again.code == 1
    assert SERVER_ID in again.complaint
