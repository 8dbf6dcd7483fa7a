"""What the README says of installing: a clone is enough, and each line brings what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house.imports import ROOT


@pytest.fixture
def clone(tmp_path: Path, wheel: Path) -> Path:
    """The files that a clone of this tree would have; ``wheel`` skips where no index is reached."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone: git knows no files here")
    folder = tmp_path / "serverdomain"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def done(*words: str | Path, folder: Path) -> str:
    ours = {
        name: value
        for name, value in os.environ.items()
        # Those of the make that runs this would be passed on.
        if "SERVERDOMAIN" not in name and name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    }
    ran = subprocess.run(words, cwd=folder, env=ours, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def megabytes(folder: Path) -> float:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@pytest.mark.slow
def test_make_demo_installs_what_the_demo_needs_and_says_what_comes(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By its name, for a path may hold a space.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    told = done("make", "demo", f"PYTHONS={Path(sys.executable).name}", folder=clone)
    steps = ["Making .venv", "what the demo needs", "  1  ", "rich", "and now all", "202 Accepted"]
    for step in steps:
        assert step in told, f"{step} comes, and in this order"
        told = told.partition(step)[2]
    there = {path.name for path in clone.glob(".venv/lib/*/site-packages/*")}
    assert "rich" in there
    assert not there & {"pytest", "starlette", "cryptography", "matplotlib"}
    assert megabytes(clone / ".venv") < 100
    again = done("make", "demo", folder=clone)
    assert "nstalling" not in again


@pytest.mark.slow
def test_a_clone_is_installed_by_its_path(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done(sys.executable, "-m", "venv", "new", folder=tmp_path)
    before, begun = megabytes(tmp_path / "new"), time.monotonic()
    done("new/bin/pip", "install", "./serverdomain", folder=tmp_path)
    brought, seconds = megabytes(tmp_path / "new") - before, time.monotonic() - begun
    shown = "from serverdomain import Servers; print(Servers.open('memory:').list())"
    assert done("new/bin/python", "-c", shown, folder=tmp_path) == "[]\n"
    assert brought < 60
    with capsys.disabled():
        print(f"\npip install ./serverdomain: {seconds:.0f} s, {brought:.0f} MB")
