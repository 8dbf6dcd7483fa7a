"""What was acknowledged before the kernel cut the power is there after it, on a real disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from tests.house.imports import ROOT
from tests.power_cut.by_the_kernel import CANNOT_MOUNT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(which("unshare") is None, reason="needs unshare, of Linux"),
]


def cut(folder: Path, cuts: int, synchronous: str) -> dict[str, Any]:
    # In a namespace of its own no other process holds what is mounted, and nothing stays mounted.
    alone = ["unshare", "--mount", "--propagation", "private"]
    program = [sys.executable, "-m", "tests.power_cut.by_the_kernel"]
    run = subprocess.run(
        [*alone, *program, folder, str(cuts), synchronous],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if run.returncode == CANNOT_MOUNT or run.stderr.startswith("unshare: "):
        pytest.skip(f"no ext4 of its own can be mounted here: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    seen: dict[str, Any] = json.loads(run.stdout)
    return seen


def test_nothing_that_was_acknowledged_is_lost_and_all_that_is_there_holds(tmp_path: Path) -> None:
    seen = cut(tmp_path, 100, "FULL")

    assert seen["acknowledged"] > 1000
    assert seen["commits"] < seen["acknowledged"], "no batches formed"
    assert (seen["lost"], seen["wrong"]) == (0, [])


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_this_test_would_notice_a_store_that_does_not_wait_for_the_disk(
    tmp_path: Path, synchronous: str
) -> None:
    seen = cut(tmp_path, 5, synchronous)

    assert seen["lost"] > seen["acknowledged"] / 10
