"""An export and an import that are killed at any moment go on, and lose and double nothing."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log
from tests.adapters.exchange.logs import digests, exported

RUN = [sys.executable, "-m", "serverdomain"]
SEED = 7


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # Not yet, or no longer: whoever closes a log last takes its -wal away.


def until_done(arguments: list[str], grown: Path, dice: random.Random) -> int:
    """Run a command again and again, killed once the file has grown; how often it was killed."""
    kills = 0
    while True:
        size = size_of(grown)
        step = dice.randrange(1, 400_000)
        with subprocess.Popen([*RUN, *arguments], stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                if size_of(grown) > size + step and kills < 4:
                    process.kill()
                    process.wait()
                    kills += 1
        if process.returncode == 0:
            return kills
        assert process.returncode == -9


@pytest.mark.slow
def test_killed_they_go_on_and_the_digest_is_the_same(tmp_path: Path) -> None:
    path, lines, copy = (tmp_path / name for name in ("cloud.db", "log.jsonl", "copy.db"))
    log = open_log(path)
    generate(log, 200, SEED)
    dice = random.Random(SEED)
    kills = until_done(["export", str(lines), "--store", str(path)], lines, dice)
    assert lines.read_bytes() == exported(log)
    wal = copy.with_name("copy.db-wal")
    kills += until_done(["import", "log", str(lines), "--store", str(copy)], wal, dice)
    assert kills > 1
    with_copy = open_log(copy, create=False)
    assert digests(with_copy) == digests(log)
    with_copy.close()
    log.close()
