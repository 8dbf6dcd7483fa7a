"""Runs a workload on an empty folder, and keeps what it did there and what it promised.

It runs in this process: the VFS is a copy that changes nothing of SQLite's, is the default only
meanwhile, and passes on all files of other folders. So what is promised may be any object, a
debugger sees the workload, and a recording takes milliseconds. Each recording proves that it is
whole before it is handed out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from .disk import files_with_luck
from .fault import Fault
from .log import Acknowledged, Entry, Failed, Operation, Synced, Truncated, Written
from .vfs import RecordingVfs

Workload: TypeAlias = Callable[[Path, Callable[[object], None]], None]


class PastTheLog(AssertionError):
    """The folder is not what the log says: something was written where the VFS does not see it."""


@dataclass(frozen=True)
class Recording:
    """`name` is the file that the workload was given; `log` what happened in its folder."""

    name: str
    log: tuple[Entry, ...]

    def acknowledged(self, index: int | None = None) -> list[object]:
        """What was promised in the first `index` entries, in order."""
        return [entry.what for entry in self.log[:index] if isinstance(entry, Acknowledged)]

    @property
    def failed(self) -> bool:
        """Whether the fault that was asked for was met."""
        return any(isinstance(entry, Failed) for entry in self.log)

    def faults(self) -> list[Fault]:
        """Every write, truncate and sync recorded, as the fault that makes it fail next time."""
        kinds: dict[Operation, type[Entry]] = {
            "write": Written,
            "truncate": Truncated,
            "sync": Synced,
        }
        return [
            Fault(operation, nth)
            for operation, kind in kinds.items()
            for nth in range(1, 1 + sum(isinstance(entry, kind) for entry in self.log))
        ]


def record(workload: Workload, *, name: str = "cloud.db", fault: Fault | None = None) -> Recording:
    """Calls `workload(path, acknowledge)`, to which the folder of `path` belongs alone.

    The workload closes what it opens, and calls `acknowledge(anything)` at each promise.
    """
    with TemporaryDirectory(prefix="power-cut-") as folder:
        with RecordingVfs(folder, fault) as vfs:
            workload(Path(folder, name), vfs.acknowledge)
        # The VFS stays for good, with its callbacks; the bytes need not.
        log, vfs.log = tuple(vfs.log), []
        # Read only now: closing a file that SQLite has open in the same process would drop SQLite's
        # locks on it.
        there = {
            file.name: file.read_bytes()
            for file in Path(folder).iterdir()
            # A file to hold a lock on has no bytes, and nobody reads it.
            if not file.name.endswith(("-shm", ".lock"))
        }
    replayed = files_with_luck(log)
    if there != replayed:
        differing = sorted(
            file for file in there.keys() | replayed.keys() if there.get(file) != replayed.get(file)
        )
        raise PastTheLog(f"the log replayed differs from the folder in {', '.join(differing)}")
    if not replayed:
        raise PastTheLog("the workload left no file: nothing was recorded")
    return Recording(name, log)
