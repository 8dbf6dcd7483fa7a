"""A simulated hypervisor: it finishes every BUILD and REBUILD in the log, whoever asked for it.

A reaction like any other, with nothing that your own could not have. What is under way is found in
the log whenever this process takes up the work, so a kill loses nothing; each step is due at a time
of the `Servers`' own clock, counted from when the work was asked for, and happens once under a
request id made from the event that asked. A report that comes too late finishes nothing.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Condition, Lock, Thread

from serverdomain.domain import moment
from serverdomain.domain.events import RebuildRequested, ServerObserved, ServerRegistered
from serverdomain.domain.server import Server
from serverdomain.errors import (
    Conflict,
    NotFound,
    Refused,
    StoreError,
    UnknownEvent,
)
from serverdomain.projections.happened import Happened
from serverdomain.servers import Servers
from serverdomain.simulation.manual_clock import ManualClock
from serverdomain.simulation.rebuild_course import (
    Step,
    Trouble,
    checked_seconds,
    no_trouble,
    report,
    steps,
)

NAME = "hypervisor"
"""The name of its reaction."""

REBUILD_SECONDS = 6.0
"""How long a rebuild takes, and a create: clients that wait see REBUILD before it is over."""

LOOK = 0.2
"""Seconds after which it looks at the clock again, which somebody may have set."""

SECONDS = 30.0
"""How long it waits for its reaction, where that has to be told of all first."""

_log = logging.getLogger("serverdomain")


_ASKING = ("RebuildRequested", "ServerRegistered", "ServerObserved")


class SimulatedHypervisor:
    """Reports progress and completion of what was asked of the ``servers``, until it is stopped.

    A rebuild and a create take ``rebuild_seconds``, from 0 to a day. ``trouble`` is asked once
    about every rebuild, with its server. Of all processes that run one on a log, one is at work.
    """

    def __init__(
        self,
        servers: Servers,
        rebuild_seconds: float = REBUILD_SECONDS,
        trouble: Callable[[Server], Trouble | None] = no_trouble,
    ) -> None:
        self._servers = servers
        # What stopped it may be over: it looks again, and all that is under way is found.
        if any(one.name == NAME and one.stopped_at is not None for one in servers.reactions()):
            servers.resume_reaction(NAME)
        self._lasts = round(checked_seconds("rebuild_seconds", rebuild_seconds) * 1_000_000)
        self._ask_trouble = trouble
        self._troubles: dict[int, Trouble | None] = {}
        # One step at a time is taken; the schedule is not held meanwhile.
        self._taking = Lock()
        self._schedule = Condition()
        self._steps: list[Step] = []
        self._is_at_work = False
        self._reaction = servers.react(NAME, self._told, at_work=self._at_work, events=_ASKING)

    def stop(self) -> None:
        """End after the step at hand; what is under way waits for whoever takes up the work."""
        self._reaction.stop()

    def __enter__(self) -> SimulatedHypervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def caught_up(self, seconds: float = SECONDS) -> bool:
        """Wait until all that the log asks for is scheduled; False where nobody here does that."""
        return self._reaction.caught_up(seconds)

    def advance(self, clock: ManualClock, to: datetime) -> None:
        """Move the clock of the servers; what was due by then has happened when this returns.

        Every step happens at its own time. Raises `InvalidInput` where ``to`` lies behind, and
        `Conflict` where it is not this one that does the work.
        """
        until = moment.to_micros(to, "now")
        while self.caught_up():
            with self._taking:
                step = self._next(until)
                if step is None:
                    break
                clock.now = max(clock.now, moment.to_datetime(step.due))
                self._take(step)
        else:
            raise Conflict(
                "the clock stands: nobody here does what would be due, another process does, or "
                "the reaction has stopped ('serverdomain reactions list')"
            )
        clock.now = to

    def _told(self, told: Happened) -> None:
        try:
            server = self._servers.get(told.server_id)
        except NotFound:
            return
        self._take_up(server, told)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        # Of an empty log no view has to be made.
        if self._servers.latest() is not None:
            for status in ("BUILD", "REBUILD"):
                for server in self._servers.list(status=status):
                    self._take_up(server)
        self._is_at_work = True
        thread = Thread(target=self._work, name=NAME, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_at_work = False
            with self._schedule:
                self._schedule.notify_all()
            thread.join()
            self._steps.clear()

    def _take_up(self, server: Server, told: Happened | None = None) -> None:
        if server.status not in ("BUILD", "REBUILD"):
            return
        asked = told if told and _asks(told, server) else self._asked(server)
        if asked is None:
            return
        trouble = None
        if server.rebuild is not None:
            if asked.position not in self._troubles:
                self._troubles[asked.position] = self._ask_trouble(server)
            trouble = self._troubles[asked.position]
        with self._schedule:
            for step in steps(asked, server, self._lasts, trouble):
                heapq.heappush(self._steps, step)
            self._schedule.notify_all()

    def _asked(self, server: Server) -> Happened | None:
        for entry in reversed(self._servers.history(server.id)):
            if entry.version is None:  # It was refused.
                continue
            told = Happened(entry.recorded, NAME)
            if _asks(told, server):
                return told
        return None

    def _work(self) -> None:
        while self._is_at_work:
            with self._taking:
                step = self._next(moment.to_micros(self._servers.now()))
                if step is not None:
                    try:
                        self._take(step)
                    except StoreError as error:
                        _log.warning("the simulated hypervisor will try again: %s", error)
                        self._pause(1)
            if step is None:
                self._pause()

    def _pause(self, seconds: float = 0) -> None:
        with self._schedule:
            left = None
            if self._steps:
                now = moment.to_micros(self._servers.now())
                left = max(seconds, min(LOOK, (self._steps[0].due - now) / 1_000_000))
            if self._is_at_work and (left is None or left > 0):
                self._schedule.wait(left)

    def _next(self, until: int) -> Step | None:
        with self._schedule:
            if self._steps and self._steps[0].due <= until:
                return heapq.heappop(self._steps)
        return None

    def _take(self, step: Step) -> None:
        try:
            report(self._servers, step)
        except (Conflict, NotFound, Refused):
            pass  # Somebody reset or deleted the server, or finished the work.
        except UnknownEvent as newer:
            _log.warning("server %s cannot be finished: %s", step.asked.server_id, newer)
        except StoreError:
            with self._schedule:
                heapq.heappush(self._steps, step)
            raise
        if step.kind != "progress":
            self._troubles.pop(step.position, None)


def _asks(told: Happened, server: Server) -> bool:
    """Whether an event asked for the work that is under way on a server."""
    if server.rebuild is not None:
        return isinstance(told.event, RebuildRequested) and (
            told.event.rebuild_id == server.rebuild.id
        )
    return isinstance(told.event, ServerRegistered | ServerObserved) and told.event.state == "BUILD"
