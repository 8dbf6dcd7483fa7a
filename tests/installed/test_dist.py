"""The sdist and the wheel, installed into a new environment of every Python that is at hand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.imports import ROOT
from tests.installed.conftest import uv

VERSIONS = ("3.11", "3.12", "3.13", "3.14")


@pytest.fixture(scope="module")
def built(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both; ``wheel`` skips where no index is reached."""
    folder = tmp_path_factory.mktemp("dist")
    done = uv("build", "--out-dir", folder, ROOT)
    assert done.returncode == 0, done.stderr
    return folder


def interpreter(version: str) -> str:
    name = f"python{version}"
    found = shutil.which(name)
    if (
        found is None
        or subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode
    ):
        pytest.skip(f"{name} is not at hand")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("form", ["*.whl", "*.tar.gz"])
@pytest.mark.parametrize("version", VERSIONS)
def test_it_installs_and_shows_a_rebuild(
    version: str, form: str, built: Path, tmp_path: Path
) -> None:
    (package,) = built.glob(form)
    python = tmp_path / "new/bin/python"
    for step in (
        uv("venv", "--python", interpreter(version), tmp_path / "new"),
        uv("pip", "install", "--python", python, "-c", ROOT / "constraints.txt", f"{package}[cli]"),
    ):
        assert step.returncode == 0, step.stderr
    shown = subprocess.run(
        [python.with_name("serverdomain"), "demo"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "202 Accepted" in shown.stdout
