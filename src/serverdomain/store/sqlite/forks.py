"""What happens to open files when the process is forked: nothing is open meanwhile.

SQLite notes in the memory of a process which locks its connections hold, and a child gets a copy of
the notes without the locks: it would wait for ever for a lock that nobody holds, or do without one
that it needs. So a fork waits a moment for those who use a file, closes, and lets them go on.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Lock, get_ident
from typing import Protocol
from weakref import WeakSet

from serverdomain.errors import StoreError
from serverdomain.store.real_time import monotonic, sleep
from serverdomain.store.sqlite.opened_file import Identity, identity
from serverdomain.store.sqlite.place import Place

PATIENCE = 1.0
"""Seconds that a fork waits for the other threads to come to the end of what they are at."""

users: dict[object, tuple[int, Path]] = {}
"""Which threads are at something now, and with which file; noted by each use itself."""


class Held(Protocol):
    """Something that keeps connections to a file open."""

    place: Place

    def let_go(self) -> bool:
        """Close them, and open none until `take_up`; whether none is left."""

    def take_up(self) -> None:
        """Go on, if it has let go."""


class _Fork:
    """The fork that goes on, and what earlier ones left in this process.

    ``over`` is set unless one goes on, which a use waits for.
    """

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
        deadline = monotonic() + PATIENCE
        while not self._all_let_go(late=monotonic() > deadline):
            for one in self._letting_go:
                one.take_up()
            sleep(0.001)

    def _all_let_go(self, *, late: bool) -> bool:
        # Whether the fork may happen. This thread may be at something itself, and has no end of it.
        at_work = list(users.values())
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
        users.clear()
        self._begin_anew()


fork = _Fork()
os.register_at_fork(
    before=fork.before, after_in_parent=fork.in_parent, after_in_child=fork.in_child
)


def watch(held: Held) -> None:
    """Let it be told of forks, as long as it is there."""
    if held.place.path is not None:
        fork.held.add(held)


def wait() -> None:
    """Wait for the end of a fork; not whoever is at something already, who is waited for."""
    me = get_ident()
    if all(thread != me for thread, _ in list(users.values())):
        fork.over.wait()


def require_closed(place: Place) -> None:
    """Raise `StoreError` where the parent of this process had a file in use at the fork."""
    if fork.left_open and identity(str(place.path)) in fork.left_open:
        raise StoreError(
            f"{place} was in use when this process was forked, which SQLite does not outlive: "
            "fork when nobody uses it, or start a process that is no copy (spawn)"
        )
