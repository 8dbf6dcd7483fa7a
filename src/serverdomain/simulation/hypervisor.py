"""A simulated hypervisor: it finishes every BUILD and REBUILD in the log, whoever asked for it.

It is a reaction, and your own reaction could do the same. When this process takes up the work, it
finds in the log what is under way, so a kill loses nothing. Each report is due at a time of the
`Servers`' own clock, counted from the event that asked for the work. Its request id is made from
that event, so it is recorded once. A report that comes too late changes nothing.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Condition, Lock, Thread

from serverdomain.domain import moment
from serverdomain.domain.commands import ReportProgress
from serverdomain.domain.events import RebuildRequested, ServerObserved, ServerRegistered
from serverdomain.domain.server import Server
from serverdomain.errors import Conflict, NotFound, Refused, StoreError, UnknownEvent
from serverdomain.projections.attempts import Recurring
from serverdomain.projections.happened import Happened
from serverdomain.projections.told import Told
from serverdomain.servers import Servers
from serverdomain.simulation.manual_clock import ManualClock
from serverdomain.simulation.rebuild_course import (
    Report,
    Trouble,
    checked_seconds,
    no_trouble,
    reports,
)

NAME = "hypervisor"
"""The name of its reaction."""

REBUILD_SECONDS = 6.0
"""How long a rebuild or a create takes: long enough for waiting clients to see REBUILD."""

LOOK = 0.2
"""Seconds after which it looks at the clock again, because somebody may have set it."""

SECONDS = 30.0
"""How long to wait until its reaction has been told of everything in the log."""

_log = logging.getLogger("serverdomain")


_ASKING = ("RebuildRequested", "ServerRegistered", "ServerObserved")


class SimulatedHypervisor:
    """Reports progress and completion of builds and rebuilds of the ``servers``, until stopped.

    A rebuild or a create takes ``rebuild_seconds``, from 0 to a day. ``trouble`` is called once for
    each rebuild, with its server. Of all processes that run a hypervisor on a log, one is at work.
    """

    def __init__(
        self,
        servers: Servers,
        rebuild_seconds: float = REBUILD_SECONDS,
        trouble: Callable[[Server], Trouble | None] = no_trouble,
    ) -> None:
        self._servers = servers
        # What stopped it may be over. It looks again, and finds all that is under way.
        if any(one.name == NAME and one.stopped_at is not None for one in servers.reactions()):
            servers.resume_reaction(NAME)
        self._lasts = round(checked_seconds("rebuild_seconds", rebuild_seconds) * 1_000_000)
        self._find_trouble = trouble
        self._troubles: dict[int, Trouble | None] = {}
        # One report is made at a time; the schedule is not locked meanwhile.
        self._making = Lock()
        self._schedule = Condition()
        self._reports: list[Report] = []
        self._is_at_work = False
        self._reaction = servers.react(NAME, self._told, at_work=self._at_work, events=_ASKING)

    def stop(self) -> None:
        """Stop after the current report; what is under way waits for whoever takes up the work."""
        self._reaction.stop()

    def __enter__(self) -> SimulatedHypervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def caught_up(self, seconds: float = SECONDS) -> bool:
        """Wait until all work in the log is scheduled; False if this process is not at work."""
        return self._reaction.caught_up(seconds)

    def advance(self, clock: ManualClock, to: datetime) -> None:
        """Move the servers' clock. When this returns, what was due by then has happened.

        Every report is made at its own time. Raises `InvalidInput` if ``to`` lies behind, and
        `Conflict` if this process is not at work.
        """
        until = moment.to_micros(to, "now")
        while self.caught_up():
            with self._making:
                report = self._next(until)
                if report is None:
                    break
                clock.now = max(clock.now, moment.to_datetime(report.due))
                self._make(report)
        else:
            raise Conflict(
                "the clock was not moved: this process does not do the work, because another one "
                "does, or because the reaction has stopped ('serverdomain reactions list')"
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
        # An empty log needs no view.
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
            self._reports.clear()

    def _take_up(self, server: Server, told: Happened | None = None) -> None:
        if server.status not in ("BUILD", "REBUILD"):
            return
        asked = told if told and _asks(told, server) else self._asked(server)
        if asked is None:
            return
        trouble = None
        if server.rebuild is not None:
            if asked.position not in self._troubles:
                self._troubles[asked.position] = self._find_trouble(server)
            trouble = self._troubles[asked.position]
        with self._schedule:
            for report in reports(asked, server, self._lasts, trouble):
                heapq.heappush(self._reports, report)
            self._schedule.notify_all()

    def _asked(self, server: Server) -> Happened | None:
        history = self._servers.history(server.id)
        for entry in reversed(history):
            if _asks(entry, server):
                of = entry.recorded.command.command_id
                begins = min(
                    one.position for one in history if one.recorded.command.command_id == of
                )
                number = entry.position - begins + 1
                return Happened(entry.recorded, NAME, self._servers.log_id, number)
        return None

    def _work(self) -> None:
        trouble = Recurring(1)
        while self._is_at_work:
            with self._making:
                report = self._next(moment.to_micros(self._servers.now()))
                if report is not None:
                    try:
                        self._make(report)
                    except StoreError as error:
                        is_news, pause = trouble.met(str(error))
                        if is_news:
                            _log.warning("the simulated hypervisor will try again: %s", error)
                        self._pause(pause)
                    else:
                        trouble.over()
            if report is None:
                self._pause()

    def _pause(self, seconds: float = 0) -> None:
        with self._schedule:
            left = None
            if self._reports:
                now = moment.to_micros(self._servers.now())
                left = max(seconds, min(LOOK, (self._reports[0].due - now) / 1_000_000))
            if self._is_at_work and (left is None or left > 0):
                self._schedule.wait(left)

    def _next(self, until: int) -> Report | None:
        with self._schedule:
            if self._reports and self._reports[0].due <= until:
                return heapq.heappop(self._reports)
        return None

    def _make(self, report: Report) -> None:
        try:
            context = report.asked.context(report.step)
            self._servers.command(report.asked.server_id, report.command, context)
        except (Conflict, NotFound, Refused):
            pass  # Somebody has reset or deleted the server, or finished the work.
        except UnknownEvent as newer:
            _log.warning("server %s cannot be finished: %s", report.asked.server_id, newer)
        except StoreError:
            with self._schedule:
                heapq.heappush(self._reports, report)
            raise
        if not isinstance(report.command, ReportProgress):
            self._troubles.pop(report.position, None)


def _asks(told: Told, server: Server) -> bool:
    """Whether an event asked for the work under way on a server."""
    if server.rebuild is not None:
        return isinstance(told.event, RebuildRequested) and (
            told.event.rebuild_id == server.rebuild.id
        )
    return isinstance(told.event, ServerRegistered | ServerObserved) and told.event.state == "BUILD"
