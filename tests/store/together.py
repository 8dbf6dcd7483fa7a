"""Callers who wait together, for certain: another connection holds the lock until all do."""

from __future__ import annotations

import linecache
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from traceback import walk_stack

from serverdomain.store import sqlite

SECONDS = 60
"""A bound that nobody may reach."""

_STORE = {str(path) for path in Path(sqlite.__file__).parents[1].rglob("*.py")}
_WAITS = ("acquire(", "wait(", "sleep(")


def together(path: Path, works: Sequence[Callable[[], object]]) -> list[object]:
    """What each of many works gives or raises, that begin in this order and wait at once."""
    came: list[object] = [None] * len(works)

    def run(number: int) -> None:
        try:
            came[number] = works[number]()
        except Exception as error:
            came[number] = error

    threads = [Thread(target=run, args=(number,)) for number in range(len(works))]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for thread in threads:
            thread.start()
            until(lambda thread=thread: waits(thread))  # type: ignore[misc]
        other.execute("ROLLBACK")
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
    return came


def waits(thread: Thread) -> bool:
    """Whether a thread is in the store, at a line that waits."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is None:
        return False
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    files = {one.f_code.co_filename for one, _ in walk_stack(frame)}
    return any(word in line for word in _WAITS) and any(map(_STORE.__contains__, files))


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        Event().wait(0.001)
