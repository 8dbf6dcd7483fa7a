"""How much of everything is measured, in one place: in full, in a minute, or just that it runs."""

from __future__ import annotations

from typing import NamedTuple


class Scale(NamedTuple):
    """How many of what; a row may ask for fewer, and says so."""

    rounds: int
    """Rounds of the rows of commands: seven of a pair leave a stream of 10 events below 50."""
    servers: int
    """Servers that commands go to, and that a view has rows of where nothing else is said."""
    calls: int
    """Calls over HTTP in a round."""
    starts: int
    """Processes that are started, of each."""
    cycles: int
    """Cycles of nine events of a server whose whole history is read."""
    long: int
    """Events of the one long server."""
    replayed: int
    """Events of a view from zero."""
    few: int
    """Events where a rival is so slow that it gets fewer."""
    imported: int
    """Servers that are written in bulk, of ten events each."""
    followed: int
    """Events that are followed while memory is watched."""
    remembered: int
    """Servers that are asked for while memory is watched."""
    made: int
    """Servers of a made-up fleet that is made, reported on and verified."""
    fleet: int
    """Servers of a made-up fleet that is asked about its past."""
    questions: int
    """Questions about its past in a round."""


FULL = Scale(
    rounds=7,
    servers=160,
    calls=200,
    starts=7,
    cycles=111,
    long=100_000,
    replayed=1_000_000,
    few=20_000,
    imported=2_000,
    followed=300_000,
    remembered=1_000_000,
    made=500,
    fleet=2_000,
    questions=40,
)
QUICK = FULL._replace(
    rounds=3,
    servers=32,
    calls=48,
    starts=1,
    long=5_000,
    replayed=20_000,
    few=1_000,
    imported=200,
    followed=20_000,
    remembered=10_000,
    made=50,
    fleet=100,
    questions=8,
)
TINY = FULL._replace(
    rounds=1,
    servers=4,
    calls=8,
    starts=1,
    cycles=2,
    long=100,
    replayed=100,
    few=20,
    imported=4,
    followed=1_000,
    remembered=100,
    made=3,
    fleet=3,
    questions=2,
)
