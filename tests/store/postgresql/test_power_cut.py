"""What was acknowledged before the kernel cut the power is there after it, in a server too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from shutil import which
from typing import Any

import pytest

from tests.house.imports import ROOT
from tests.power_cut.by_the_kernel import CANNOT_MOUNT
from tests.store.postgresql import server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(which("unshare") is None, reason="needs unshare, of Linux"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk"),
    pytest.mark.skipif(server.programs() is None, reason="no PostgreSQL is installed"),
]


def cut(cuts: int, mode: str) -> dict[str, Any]:
    # In a namespace of its own no other process holds what is mounted, and nothing stays mounted.
    alone = ["unshare", "--mount", "--propagation", "private"]
    program = [sys.executable, "-m", "tests.power_cut.postgres_by_the_kernel"]
    run = subprocess.run(
        [*alone, *program, str(cuts), mode], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if run.returncode == CANNOT_MOUNT or run.stderr.startswith("unshare: "):
        pytest.skip(f"no ext4 of its own can be mounted here: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    seen: dict[str, Any] = json.loads(run.stdout)
    return seen


def test_nothing_that_was_acknowledged_is_lost_in_postgres_or_beside_it() -> None:
    seen = cut(200, "sure")
    assert seen["acknowledged"] > 10_000
    assert (seen["postgres"], seen["sqlite"], seen["wrong"]) == (0, 0, [])


def test_who_does_not_wait_for_the_disk_loses_much() -> None:
    seen = cut(10, "commit")
    assert seen["postgres"] > 10
    assert seen["sqlite"] > 10


def test_a_server_that_never_syncs_loses_much() -> None:
    assert cut(5, "fsync")["postgres"] > 10
