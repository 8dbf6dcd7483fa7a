"""Where the time of `serverdomain` goes, measured: the disk by leaving it out, the rest by profile.

What a command costs on a file and not in memory is the disk: the write-ahead log written and
synced. What is left is shared out by the profiler's own time of each function.
"""

from __future__ import annotations

import cProfile
import pstats
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import serverdomain
from benchmarks.callers import Callers, Work
from benchmarks.ledger import Verifying
from benchmarks.measure import by_turns
from benchmarks.ours import Ours
from benchmarks.results import Where
from benchmarks.rival import EVENTS_OF_A_CYCLE
from benchmarks.rows.commands import get, pair, rename
from benchmarks.rows.ledger import verify
from benchmarks.rows.views import view
from benchmarks.scale import Scale

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


class Explained(NamedTuple):
    """A step whose time is taken apart; one that ``writes`` is told apart from the disk."""

    what: str
    work: Work
    ours: type[Ours] = Ours
    writes: bool = True


def explained(scale: Scale) -> list[Explained]:
    """The ways that most go."""
    servers = scale.servers
    events = servers * (1 + EVENTS_OF_A_CYCLE)
    return [
        Explained("a rebuild and its completion", Work(pair, servers)),
        Explained("a rename", Work(rename, servers)),
        Explained("a get after a commit", Work(get, servers, before=rename), writes=False),
        Explained(f"a view of {events:,} events", Work(view, servers, asked=(0,))),
        Explained(
            f"verifying {events:,} events",
            Work(verify, servers, asked=(0,)),
            ours=Verifying,
            writes=False,
        ),
    ]


def where(one: Explained, rounds: int) -> Where:
    """Where the time of a step goes."""
    with TemporaryDirectory(prefix="serverdomain-") as folder:
        kinds = (one.ours, InMemory) if one.writes else (one.ours,)
        callers = [Callers(kind, one.work, Path(folder)) for kind in kinds]
        try:
            # What does not write is profiled where it was measured.
            p50s = [figures.p50 or 0.0 for figures in by_turns(callers, rounds)]
            took, disk = p50s[0], max(p50s[0] - p50s[-1], 0.0)
            profiled = _profiled(one.work, callers[-1], rounds)
        finally:
            for each in callers:
                each.close()
    everything = sum(profiled.values())
    spent = {room: own / everything * (took - disk) for room, own in profiled.items()}
    return Where(one.what, took, {DISK: disk, **spent} if disk else spent)


def _profiled(work: Work, callers: Callers, rounds: int) -> dict[str, float]:
    profile = cProfile.Profile()
    # The rounds go on from those that were compared, and so do the images.
    for number in range(rounds + 1, 2 * rounds + 1):
        for server in range(work.servers) if work.asked is None else work.asked:
            if work.before is not None:
                work.before(callers.rival, number, server)
            profile.runcall(work.step, callers.rival, number, server)
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
