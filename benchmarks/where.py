"""Where the time of `serverdomain` goes, measured: the disk by leaving it out, the rest by profile.

What a command costs on a file and not in memory is the disk: the write-ahead log written and
synced. What is left is shared out by the profiler's own time of each function.
"""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import serverdomain
from benchmarks.measure import Row, compare
from benchmarks.ours import Ours

DISK = "the disk, the log written and synced"
SQLITE = "SQLite"
MSGSPEC = "JSON and structs (msgspec)"
ELSEWHERE = "Python and its library"

_PACKAGE = Path(serverdomain.__file__).parent
_ROOMS = {
    str(_PACKAGE / "domain"): "rules, limits and the fold",
    str(_PACKAGE / "store"): "the store",
    str(_PACKAGE / "projections"): "projections",
    str(_PACKAGE): "the facade",
    "sqlite_utils": "sqlite-utils",
}


class InMemory(Ours):
    """`serverdomain` without a disk."""

    name = "in memory"

    def __init__(self, folder: Path) -> None:
        super().__init__(None)


class Where(NamedTuple):
    """Of one step, in seconds: how long it takes, and how much of that is spent where."""

    what: str
    took: float
    spent: dict[str, float]

    def __str__(self) -> str:
        parts = sorted(self.spent.items(), key=lambda part: -part[1])
        shares = [f"{room} {seconds / self.took:.0%}" for room, seconds in parts]
        return f"{self.what} takes {self.took * 1e6:,.0f} us: {', '.join(shares)}."


def where(row: Row) -> Where:
    """Where the time of a row's step goes."""
    with tempfile.TemporaryDirectory() as folder:
        on_disk, in_memory = Ours(Path(folder)), InMemory(Path(folder))
        try:
            for rival in (on_disk, in_memory):
                rival.fill(row.servers, row.cycles)
            took, without = (figures.p50 for figures in compare(row, (on_disk, in_memory)))
            disk = max(took - without, 0.0) if row.writes else 0.0
            profiled = _profiled(row, in_memory)
        finally:
            on_disk.close()
            in_memory.close()
    everything = sum(profiled.values())
    spent = {room: own / everything * (took - disk) for room, own in profiled.items()}
    return Where(row.what, took, {DISK: disk, **spent} if disk else spent)


def _profiled(row: Row, rival: Ours) -> dict[str, float]:
    profile = cProfile.Profile()
    # The rounds go on from those that were compared, and so do the images.
    for number in range(row.rounds + 1, 2 * row.rounds + 1):
        for server in row.asked:
            profile.runcall(row.step, rival, number, server)
            if row.undo is not None:
                row.undo(rival, number, server)
    found: dict[str, float] = defaultdict(float)
    functions: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    functions = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (file, _, name), (_, _, own, _, _) in functions.items():
        found[_room(file, name)] += own
    return found


def _room(file: str, name: str) -> str:
    if "sqlite3." in name:
        return SQLITE
    if "msgspec" in name:
        return MSGSPEC
    return next((room for path, room in _ROOMS.items() if path in file), ELSEWHERE)
