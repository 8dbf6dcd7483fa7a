"""The demo, and the commands that it ends with."""

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


@pytest.fixture
def demo_command(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, whose temporary folders lie in this test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return command


def test_the_demo_tells_its_story_on_one_screen(demo_command: Command) -> None:
    ran = demo_command("demo")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert len(lines) <= 42
    story, _, commands = ran.out.partition("The log lies in ")
    assert max(map(len, story.splitlines())) <= 80
    told = ("POST /v2/", "202 Accepted", '"status": "REBUILD", "progress": 0, ', "100%")
    told += ("ImageChanged  by fake in openstack\n    /image/id: ", f'"{OLD_IMAGE}"\n', NEW_IMAGE)
    told += ('/metadata/stage: "before" -> absent', "RebuildCompleted  by system in system")
    told += ("The server before", 'unfoobar, ACTIVE, {"stage": "before"}', f"image {OLD_IMAGE}")
    rest = story
    for part in told:
        assert part in rest, f"{part} comes, and in this order"
        rest = rest.partition(part)[2]
    assert ran.out.count(PASSWORD) == 2, "in the request and in the 202 alone"
    assert len(commands.splitlines()) == 5


def test_the_full_demo_shows_whole_documents_and_the_whole_history(
    demo_command: Command, folder: Path
) -> None:
    ran = demo_command("demo", "--full")
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
    _, _, commands = ran.stdout.partition(
        f"The log lies in {folder}/cloud.db. To try things on it:"
    )
    tried = subprocess.run(
        ["sh", "-e", "-c", commands],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment(PATH="/usr/bin:/bin"),
    )
    assert (tried.returncode, tried.stderr) == (0, ""), commands
    assert '/name: "foobar" -> "barfoo"' in tried.stdout, "the history tells what came before it"


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(None, id="the log of an earlier demo"),
        pytest.param(b"", id="an empty file"),
        pytest.param(b"a letter", id="a file of something else"),
    ],
)
def test_the_demo_writes_to_no_file_that_it_does_not_make(
    command: Command, folder: Path, there: bytes | None
) -> None:
    if there is None:
        assert command("demo", "--store", "sqlite:///demo.db").code == 0
    else:
        Path("demo.db").write_bytes(there)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    again = command("demo", "--store", "sqlite:///demo.db")
    assert (again.code, again.out) == (1, "")
    assert again.complaint.startswith("--store: ")
    assert "demo.db is there already" in again.complaint
    assert "name another file, or none" in again.complaint
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
