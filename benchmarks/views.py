"""A view from zero: a row for each server, made from the whole log."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from benchmarks.measure import Round, at_rate
from benchmarks.rival import EVENTS_OF_A_CYCLE, Rival


class Viewing(Rival, Protocol):
    def view(self) -> int:
        """A row for each server, made from the whole log; gives back how many."""


class FromZero:
    """A rival whose log holds so many events, ten a server."""

    def __init__(self, rival: type[Viewing], events: int, folder: Path) -> None:
        self.name = rival.name
        self._servers = max(1, events // (1 + EVENTS_OF_A_CYCLE))
        self._rival = rival(folder)
        self._rival.fill(self._servers, 1)

    def ask(self, number: int) -> Round:
        """The whole view."""
        began = time.perf_counter()
        servers = self._rival.view()
        seconds = time.perf_counter() - began
        assert servers == self._servers
        return at_rate(seconds, [], servers * (1 + EVENTS_OF_A_CYCLE))

    def close(self) -> None:
        """Let go of the files."""
        self._rival.close()
