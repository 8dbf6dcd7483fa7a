"""What happens to open files when the process is forked: nothing is open meanwhile.

SQLite notes in the memory of a process which locks its connections hold, and a child gets a copy of
the notes without the locks: it would wait for ever for a lock that nobody holds, or do without one
that it needs. So a fork waits a moment for those who use a file, closes, and lets them go on.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Event, Lock, get_ident
from typing import Protocol
from weakref import WeakSet

from serverdomain.errors import StoreError
from serverdomain.store.sqlite.opened_file import Identity, identity
from serverdomain.store.sqlite.place import Place

PATIENCE = 1.0
"""Seconds that a fork waits for the other threads to come to the end of what they are at."""

_users: dict[object, tuple[int, Path]] = {}
"""Which threads are at something now, and with which file."""


class Held(Protocol):
    """Something that keeps connections to a file open."""

    place: Place

    def let_go(self) -> bool:
        """Close them, and open none until `take_up`; whether none is left."""

    def take_up(self) -> None:
        """Go on, if it has let go."""


class _Fork:
    """The fork that goes on, and what earlier ones left in this process."""

    def __init__(self) -> None:
        self.held: WeakSet[Held] = WeakSet()
        self.left_open: set[Identity | None] = set()
        self._begin_anew()

    def _begin_anew(self) -> None:
        # Another thread may hold them, or wait for them, while the process is forked.
        self._one = Lock()
        self.over = Event()
        self.over.set()

    def before(self) -> None:
        self._one.acquire()
        self.over.clear()
        self._letting_go = list(self.held)
        deadline = time.monotonic() + PATIENCE
        while not self._all_let_go(late=time.monotonic() > deadline):
            for one in self._letting_go:
                one.take_up()
            time.sleep(0.001)

    def _all_let_go(self, *, late: bool) -> bool:
        # Whether the fork may happen. This thread may be at something itself, and has no end of it.
        at_work = list(_users.values())
        ours = {path for thread, path in at_work if thread == get_ident()}
        others = {path for thread, path in at_work if thread != get_ident()}
        if others and not late:
            return False
        left = {one.place.path for one in self._letting_go if not one.let_go()}
        self._left = left | ours | others
        return late or not left - ours

    def in_parent(self) -> None:
        for one in self._letting_go:
            one.take_up()
        self.over.set()
        self._one.release()

    def in_child(self) -> None:
        self.left_open |= {identity(str(path)) for path in self._left}
        _users.clear()
        self._begin_anew()


_fork = _Fork()
os.register_at_fork(
    before=_fork.before, after_in_parent=_fork.in_parent, after_in_child=_fork.in_child
)


def watch(held: Held) -> None:
    """Let it be told of forks, as long as it is there."""
    if held.place.path is not None:
        _fork.held.add(held)


def enter(path: Path | None) -> object:
    """Note that this thread now uses a file, once no fork goes on; gives what is to be left."""
    if path is None:
        return None
    if not _fork.over.is_set():
        me = get_ident()
        # Whoever is at something already is waited for.
        if all(thread != me for thread, _ in list(_users.values())):
            _fork.over.wait()
    at_work = object()
    _users[at_work] = get_ident(), path
    return at_work


def leave(at_work: object) -> None:
    """Note that it is done with it."""
    _users.pop(at_work, None)


def require_closed(place: Place) -> None:
    """Raise `StoreError` where the parent of this process had a file in use at the fork."""
    if _fork.left_open and identity(str(place.path)) in _fork.left_open:
        raise StoreError(
            f"{place} was in use when this process was forked, which SQLite does not outlive: "
            "fork when nobody uses it, or start a process that is no copy (spawn)"
        )
