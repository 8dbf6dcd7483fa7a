"""What one writer for many can be at most: `sqlite3` by hand, as many commands at once as ours.

How many that are is counted in the same run: ours are asked first, and the hand does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.by_hand import ByHand
from benchmarks.callers import Callers, Work
from benchmarks.measure import Round
from benchmarks.ours import Ours


class Batch:
    """How many commands shared a transaction of ours in its latest round."""

    size = 1


class Counted(Callers):
    """`serverdomain`, its commits counted."""

    def __init__(
        self, batch: Batch, work: Work, folder: Path, of: Callable[[Path], Ours] = Ours
    ) -> None:
        super().__init__(of, work, folder)
        self._batch = batch

    def ask(self, number: int) -> Round:
        """A round, and how many of its commands were committed at once."""
        assert isinstance(self.rival, Ours)
        before = self.rival.commits()
        asked = super().ask(number)
        commands = len(asked.each) * self._work.commands
        self._batch.size = max(1, round(commands / max(1, self.rival.commits() - before)))
        return asked


class Batches(ByHand):
    """By one caller, who waits for nobody."""

    name = "sqlite3 by hand, in batches of our size"
    shared = False

    def __init__(self, batch: Batch, folder: Path) -> None:
        super().__init__(folder)
        self._batch = batch

    def rename(self, number: int, name: str) -> None:
        self.together = self._batch.size
        super().rename(number, name)

    def rebuild(self, number: int, image_id: str, name: str) -> None:
        self.together = self._batch.size
        super().rebuild(number, image_id, name)
