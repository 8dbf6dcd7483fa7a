"""Many servers written at once, each with its life of ten events: new ones in each round."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.by_hand import ByHand
from benchmarks.filling import in_bulk
from benchmarks.idiomatic import Idiomatic
from benchmarks.measure import Round, at_rate
from benchmarks.ours import Ours
from benchmarks.rival import EVENTS_OF_A_CYCLE


class InBulk:
    """`serverdomain`, thousands of commands in a transaction."""

    name = Ours.name

    def __init__(self, servers: int, folder: Path) -> None:
        self._servers = servers
        self._made = self._open(folder)

    def _open(self, folder: Path) -> Ours | Idiomatic | ByHand:
        return Ours(folder)

    def ask(self, number: int) -> Round:
        """So many servers."""
        numbers = range(number * self._servers, (number + 1) * self._servers)
        began = time.perf_counter()
        self._write(numbers)
        seconds = time.perf_counter() - began
        return at_rate(seconds, [], len(numbers) * (1 + EVENTS_OF_A_CYCLE))

    def _write(self, numbers: range) -> None:
        assert isinstance(self._made, Ours)
        in_bulk(self._made._servers, numbers, 1)

    def close(self) -> None:
        """Let go of the files."""
        self._made.close()


class OneByOne(InBulk):
    """`eventsourcing` has nothing for it: each command is read, decided and saved."""

    name = Idiomatic.name

    def _open(self, folder: Path) -> Idiomatic:
        return Idiomatic(folder)

    def _write(self, numbers: range) -> None:
        assert isinstance(self._made, Idiomatic)
        self._made.live(numbers, 1)


class SavedWhole(OneByOne):
    """Kinder than its tutorial: a server is saved once, with all of its events."""

    name = "eventsourcing, a save for each server"

    def _open(self, folder: Path) -> Idiomatic:
        (folder / "whole").mkdir()
        return Idiomatic(folder / "whole")

    def _write(self, numbers: range) -> None:
        assert isinstance(self._made, Idiomatic)
        self._made.save(numbers, 1)


class RowsInserted(InBulk):
    """The same rows in transactions of the same size, by hand."""

    name = "sqlite3 by hand, 2,000 commands a transaction"

    def _open(self, folder: Path) -> ByHand:
        return ByHand(folder)

    def _write(self, numbers: range) -> None:
        assert isinstance(self._made, ByHand)
        with self._made.all_together():
            for number in numbers:
                self._made.live(number, 1)
