"""Who of all processes may work now: a lock for each name, in a file beside what is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from serverdomain.errors import StoreError
from serverdomain.store.real_time import monotonic, sleep

_LOOK_AGAIN = 0.01  # Seconds between two looks at a lock that another holds.


class Locks:
    """The locks beside a path; without one, those of this process alone."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._locks: dict[str, Lock] = {}

    @contextmanager
    def alone(self, name: str, seconds: float = 0) -> Iterator[bool]:
        """Whether the caller may work now; the system gives the lock up with its process."""
        if self._path is None:
            held: FileLock | Lock = self._locks.setdefault(name, Lock())
            mine = held.acquire(timeout=seconds) if seconds else held.acquire(blocking=False)
        else:
            # Its file stays: were it taken away, two could hold locks on two files of one name.
            file = self._path.with_name(f"{self._path.name}.{name}.lock")
            held = FileLock(file, thread_local=False)
            try:
                mine = _acquired(held, seconds)
            except OSError as error:
                raise StoreError(f"{file} cannot be locked: {error.strerror}") from error
        try:
            yield bool(mine)
        finally:
            if mine:
                held.release()


def _acquired(lock: FileLock, seconds: float) -> bool:
    # FileLock itself would wait by a clock that a test may freeze.
    until = monotonic() + seconds
    while True:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if monotonic() >= until:
                return False
            sleep(_LOOK_AGAIN)
        else:
            return True
