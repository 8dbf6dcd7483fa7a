"""The log as one file more, with a checkpoint of the copy beside it, and read back if asked.

`store` copies. What is told of the copy is told by the copy itself, before it takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from serverdomain.audit import check
from serverdomain.audit.ledger import Ledger, Made
from serverdomain.domain.progress import Progress
from serverdomain.errors import InvalidInput, StoreDamaged
from serverdomain.store.log import Examination, Log, Reading
from serverdomain.store.settled_path import settled


class Backup(NamedTuple):
    """A copy of a log: its file, and how many events it holds.

    ``signed`` is the checkpoint beside it, if a key was given.
    """

    path: Path
    events: int
    signed: Made | None


def back_up(
    log: Log,
    out: str | Path,
    key: str | Path | None,
    *,
    verify: bool,
    progress: Progress,
) -> Backup:
    """Copy a log into ``out``, a new file, and sign it into ``out.checkpoint`` with a key.

    ``verify`` reads the copy back: everything that `check` looks at, and the checkpoint. Where it
    does not hold, there is no copy, and `StoreDamaged` or `Unproven` is raised.
    """
    path = _place(out)
    if key is not None:
        from serverdomain.audit.ledger.key import require_apart

        require_apart(key, path)
    with log.backup(path, progress) as copy:
        if verify:
            _require_sound(copy, path, progress)
        made = None
        if key is not None:
            beside = checkpoint_path(path)
            ledger = Ledger(_Copy(copy))
            made = ledger.checkpoint(key, beside, progress)
            if verify:
                _require_nothing(map(str, ledger.verify(beside, [key], progress).problems), path)
        return Backup(path, copy.count(), made)


def _place(given: str | Path) -> Path:
    if not str(given) or "\0" in str(given):
        raise InvalidInput("out", f"{given!r} came, the path of a new file is allowed")
    return settled(given, "out")


def checkpoint_path(path: Path) -> Path:
    """Where the checkpoint of a copy lies."""
    return path.with_name(f"{path.name}.checkpoint")


class _Copy:
    def __init__(self, reading: Examination) -> None:
        self._reading = reading

    def reading(self) -> AbstractContextManager[Reading]:
        return nullcontext(self._reading)


def _require_sound(copy: Examination, path: Path, progress: Progress) -> None:
    _require_nothing(map(str, check.findings(copy, None, progress=progress)), path)


def _require_nothing(found: Iterator[str], path: Path) -> None:
    first = next(found, None)
    if first is None:
        return
    more = sum(1 for _ in found)
    others = f", and {more} more" if more else ""
    raise StoreDamaged(
        f"the copy does not hold, and {path} was not written: {first}{others}; "
        "check says what of the log does not"
    )
