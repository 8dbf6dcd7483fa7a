"""What a process of ours holds in memory while it follows a log, or remembers servers.

Each is a fresh process that says how much it held at most (`watched`); what counts is how much more
that is than where there was little to hold.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.filling import written
from benchmarks.measure import Round
from benchmarks.ours import Ours
from serverdomain import Servers


class More:
    """Mebibytes at the most for all servers of a store, beyond those for a tenth of them."""

    name = Ours.name

    def __init__(self, doing: str, servers: int, cycles: int, folder: Path) -> None:
        self._doing = doing
        self._servers = servers
        self._cycles = cycles
        self._path = folder / "memory.db"

    def ask(self, number: int) -> Round:
        """A process for a tenth, and one for all."""
        tenth = max(1, self._servers // 10)
        few = self._held(range(tenth))
        many = self._held(range(tenth, self._servers))
        return Round(many - few, [])

    def _held(self, numbers: range) -> float:
        with Servers.open(f"sqlite:///{self._path}") as servers:
            written(servers, numbers, self._cycles)
        return held(self._doing, self._path, numbers.stop)

    def close(self) -> None:
        """Nothing is left running."""


def held(doing: str, store: Path, servers: int) -> float:
    """Mebibytes that a fresh process held at most while it did something with a store."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.watched", doing, store, str(servers)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(told.stdout)
