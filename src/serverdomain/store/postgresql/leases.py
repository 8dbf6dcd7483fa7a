"""Who of all processes on all machines may work now: a row that whoever works keeps fresh.

No session holds anything, so a pool between them changes nothing. The row counts who had it: by
this fence the log tells who slept past its time, and keeps no place for it. Whoever wakes again
knows that by its own clock, which goes on meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from uuid import uuid4

from serverdomain.errors import StoreError
from serverdomain.store.postgresql.connections import Connections
from serverdomain.store.real_time import monotonic, sleep

LEASE_SECONDS = 15
"""How long a name stays with a process that has ended without a word."""

_TAKE = """
INSERT INTO {schema}.leases AS l (name, holder, fence, held_until)
VALUES (%s, %s, 1, clock_timestamp() + %s * interval '1 second')
ON CONFLICT (name) DO UPDATE SET
    holder = EXCLUDED.holder, fence = l.fence + 1, held_until = EXCLUDED.held_until
WHERE l.held_until < clock_timestamp()
RETURNING fence
"""
_KEEP = """
UPDATE {schema}.leases SET held_until = clock_timestamp() + %s * interval '1 second'
WHERE name = %s AND holder = %s AND fence = %s
"""
_LOOK_AGAIN = 0.05

_log = logging.getLogger("serverdomain")

Fence = tuple[str, int]
"""Whose lease it is, and which: a number may be given again where a replica lost the first."""


class Leases:
    """The names that this process works under, each with its fence."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._holder = uuid4().hex
        self._take, self._keep = map(connections.in_schema, (_TAKE, _KEEP))
        self.fences: dict[str, Fence] = {}
        self._until: dict[str, float] = {}

    @contextmanager
    def alone(self, name: str, seconds: float) -> Iterator[bool]:
        """Whether the caller may work now, for as long as it works and the database is there."""
        end = monotonic() + seconds
        while not (fence := self._taken(name)) and monotonic() < end:
            sleep(min(_LOOK_AGAIN, max(end - monotonic(), 0)))
        if not fence:
            yield False
            return
        self.fences[name] = self._holder, fence
        over = Event()
        keeping = Thread(target=self._kept, args=(name, fence, over), daemon=True)
        keeping.start()
        try:
            yield True
        finally:
            over.set()
            keeping.join()
            del self.fences[name]
            self._renew(name, fence, 0)

    def still_alone(self, name: str) -> bool:
        """Whether nobody else may have been let work under a name that this process has."""
        return monotonic() < self._until.get(name, 0)

    def _taken(self, name: str) -> int:
        began = monotonic()
        with self._connections.errors(), self._connections.asked() as (connection, _):
            row = connection.execute(self._take, (name, self._holder, LEASE_SECONDS)).fetchone()
        if row is None:
            return 0
        self._until[name] = began + LEASE_SECONDS
        return int(row[0])

    def _kept(self, name: str, fence: int, over: Event) -> None:
        while not over.wait(LEASE_SECONDS / 3):
            self._renew(name, fence, LEASE_SECONDS)

    def _renew(self, name: str, fence: int, seconds: int) -> None:
        began = monotonic()
        try:
            with self._connections.errors(), self._connections.asked() as (connection, _):
                kept = connection.execute(self._keep, (seconds, name, self._holder, fence))
            self._until[name] = began + seconds if kept.rowcount else 0
        except StoreError as error:
            _log.warning("%s may be worked at by another soon: %s", name, error)
