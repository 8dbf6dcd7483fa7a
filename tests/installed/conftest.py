"""The library as somebody else has it: a wheel, built once, in new environments with an extra each.

What is installed comes from a package index; where none is reached these tests are skipped.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house.imports import ROOT

Install = Callable[[str], Path]


def uv(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "uv", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    (backend,) = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"][
        "requires"
    ]
    asked = uv("pip", "install", "--no-cache", "--no-deps", "--target", folder / "asked", backend)
    if asked.returncode:
        pytest.skip(f"no package index is reached: {asked.stderr.strip().splitlines()[-1]}")
    built = uv("build", "--wheel", "--out-dir", folder, ROOT)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Install the wheel, with extras or other packages, into a new environment: its programs."""

    def into_new(extras: str, *more: str) -> Path:
        environment = tmp_path_factory.mktemp("environment")
        python = environment / "bin/python"
        for step in (
            uv("venv", "--clear", "--python", sys.executable, environment),
            uv(
                *("pip", "install", "--python", python, "-c", ROOT / "constraints.txt"),
                f"{wheel}[{extras}]" if extras else wheel,
                *more,
            ),
        ):
            assert step.returncode == 0, step.stderr
        return python.parent

    return into_new
