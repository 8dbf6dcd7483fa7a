"""A simulated power cut under SQLite, for tests of what a store promises.

A killed process leaves the page cache whole, so killing one tells nothing of durability. Here a
workload runs on a VFS that keeps a log of every write and sync; from that log a disk is made as a
power cut may leave it, and a judge opens it.

    recording = record(workload)                             # workload(path, acknowledge)
    assert judge_cuts(recording, judge, cuts=300, seed=1) == []   # judge(path, acknowledged) raises

Mark tests `needs_sqlite_symbols`. Let a workload keep a second connection open, checkpoint in its
middle, and acknowledge before it closes: the last connection to close checkpoints and syncs, and
hides what a weaker mode loses.
"""

import pytest

from .cuts import Failure, Judge, judge_cut, judge_cuts
from .fault import Fault
from .recording import PastTheLog, Recording, Workload, record
from .sqlite_library import OutOfReach, reach

__all__ = [
    "Failure",
    "Fault",
    "Judge",
    "PastTheLog",
    "Recording",
    "Workload",
    "judge_cut",
    "judge_cuts",
    "needs_sqlite_symbols",
    "record",
]


def _out_of_reach() -> str:
    try:
        reach()
    except OutOfReach as error:
        return str(error)
    return ""


_reason = _out_of_reach()
needs_sqlite_symbols = pytest.mark.skipif(bool(_reason), reason=_reason)
