"""Cuts the power of a recording again and again, and has what is left judged.

Half of the cuts fall exactly at an acknowledgement, where a promise is youngest, half after any
entry of the log. A cut is told by its seed and index, which a failure names; `judge_cut` with them
does it once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeAlias

from .disk import files_after_cut
from .log import Acknowledged
from .recording import Recording

Judge: TypeAlias = Callable[[Path, Sequence[object]], None]


@dataclass(frozen=True)
class Failure:
    """A cut after the first `index` entries that the judge objected to."""

    seed: str
    index: int
    error: Exception


def judge_cuts(recording: Recording, judge: Judge, *, cuts: int, seed: int) -> list[Failure]:
    """Calls `judge(path, acknowledged)` for each cut; what it raises is a failure.

    The file at `path` may be missing: it is the disk's that far. `acknowledged` is what was
    promised before the cut.
    """
    anywhere = range(len(recording.log) + 1)
    promised = [
        after for after, entry in enumerate(recording.log, 1) if isinstance(entry, Acknowledged)
    ]
    failures = []
    for number in range(cuts):
        # Drawn apart from the disk's luck, which would else go with the place.
        index = Random(f"{seed}/{number}/index").choice(
            promised if promised and number % 2 else anywhere
        )
        failure = judge_cut(recording, judge, index=index, seed=f"{seed}/{number}")
        if failure is not None:
            failures.append(failure)
    return failures


def judge_cut(recording: Recording, judge: Judge, *, index: int, seed: str) -> Failure | None:
    """One cut after the first `index` entries."""
    with TemporaryDirectory(prefix="power-cut-") as folder:
        for name, content in files_after_cut(recording.log[:index], Random(seed)).items():
            Path(folder, name).write_bytes(content)
        try:
            judge(Path(folder, recording.name), recording.acknowledged(index))
        except Exception as error:
            return Failure(seed, index, error)
    return None
