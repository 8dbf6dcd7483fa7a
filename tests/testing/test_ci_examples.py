"""The CI examples of docs/testing-clients.md: what they install is there, and they pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.house.imports import ROOT
from tests.house.pages import blocks

PAGE = blocks((ROOT / "docs/testing-clients.md").read_text("utf-8"))
FILES = {block.name: block.text for block in PAGE if block.name}


def lines() -> dict[str, list[str]]:
    """The commands of each example, in its system's form."""
    github = yaml.safe_load(FILES[".github/workflows/test.yml"])
    (job,) = github["jobs"].values()
    gitlab = yaml.safe_load(FILES[".gitlab-ci.yml"])
    return {
        "GitHub Actions": [step["run"] for step in job["steps"] if "run" in step],
        "GitLab CI": gitlab["test"]["script"],
    }


def test_both_systems_run_the_same() -> None:
    both = list(lines().values())
    assert len(both) == 2
    assert both[0] == both[1]
    # YAML takes a bare `on` for true.
    assert yaml.safe_load(FILES[".github/workflows/test.yml"])[True] == ["push", "pull_request"]


def test_what_they_install_there_is() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    for install, *_ in lines().values():
        found = re.fullmatch(r'pip install "serverdomain\[([a-z,]+)\] @ \$SERVERDOMAIN"', install)
        assert found is not None
        assert set(found[1].split(",")) <= set(extras)


@pytest.mark.slow
def test_what_they_run_passes(tmp_path: Path) -> None:
    (tmp_path / "test_redeploy.py").write_text(FILES["test_redeploy.py"], "utf-8")
    _, *commands = lines()["GitLab CI"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        ran = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "3 passed" in ran.stdout
