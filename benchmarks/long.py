"""One server of very many events, among processes that know it and processes that do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.filling import written
from benchmarks.measure import Round
from benchmarks.ours import Ours
from benchmarks.rival import EVENTS_OF_A_CYCLE, server_id
from serverdomain import Servers


class Short(Ours):
    """A server as short as most."""

    name = "serverdomain, a server of 10 events"

    def fill(self, servers: int, cycles: int) -> None:
        super().fill(servers, 1)


class Cold:
    """A fresh process for each command; the milliseconds are what its clock says, see `cold`."""

    def __init__(self, name: str, events: int, folder: Path) -> None:
        self.name = name
        self._path = folder / f"cold-{events}.db"
        with Servers.open(f"sqlite:///{self._path}") as servers:
            written(servers, [0], cycles_of(events))
            # As it is where anybody has ever listed the servers.
            servers.view.catch_up()

    def ask(self, number: int) -> Round:
        """One command."""
        told = subprocess.run(
            [sys.executable, "-m", "benchmarks.cold", self._path, server_id(0).hex, f"n {number}"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        seconds = float(told.stdout)
        return Round(seconds * 1e3, [seconds])

    def close(self) -> None:
        """Nothing is left running."""


def cycles_of(events: int) -> int:
    """How many cycles make so many events, about."""
    return max(1, (events - 1) // EVENTS_OF_A_CYCLE)
