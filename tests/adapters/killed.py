"""Commands that are killed at any moment and asked again, until they are done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

RUN = [sys.executable, "-m", "serverdomain"]


def until_done(
    arguments: list[str], grown: Path, dice: Random, step: int = 400_000, most: int = 4
) -> int:
    """Run a command again and again, killed once the file has grown; how often it was killed.

    It grows by at most ``step`` bytes before it is killed, ``most`` times at most.
    """
    kills = 0
    while True:
        size = _size_of(grown)
        enough = size + dice.randrange(1, step)
        with subprocess.Popen([*RUN, *arguments], stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                if _size_of(grown) > enough and kills < most:
                    process.kill()
                    process.wait()
                    kills += 1
        if process.returncode == 0:
            return kills
        assert process.returncode == -9


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # Not yet, or no longer: whoever closes a log last takes its -wal away.
