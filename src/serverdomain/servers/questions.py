"""Every question about the servers in a log, now or as of any moment; nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Unpack

from serverdomain.audit.actions import MOST_VERSIONS, TOLD, Action, actions
from serverdomain.audit.as_of import (
    AsOf,
    Moment,
    Resolved,
    as_of_given,
    moment_of,
    server_as_of,
)
from serverdomain.audit.backup import Backup, back_up
from serverdomain.audit.check import check
from serverdomain.audit.diff import Diff, FleetDiff, diff, diff_fleet, diff_servers
from serverdomain.audit.fleet import Fleet
from serverdomain.audit.keyframes import Keyframes
from serverdomain.audit.ledger import Ledger
from serverdomain.audit.supposed import CommandOrFacts, RequestOrPosition, Supposed
from serverdomain.audit.what_if import WhatIf, what_if
from serverdomain.domain import limits, moment
from serverdomain.domain.decisions import require_project, require_there
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.server import Server, is_there
from serverdomain.domain.typed import require_type, typed
from serverdomain.errors import NotFound
from serverdomain.projections import coming
from serverdomain.projections.beginnings import Beginnings
from serverdomain.projections.follow import follow
from serverdomain.projections.history import HistoryEntry, history
from serverdomain.projections.server_query import Asked
from serverdomain.projections.server_view import ServerView
from serverdomain.projections.timeline import Timeline
from serverdomain.servers import naming
from serverdomain.servers.accepted import Accepted
from serverdomain.servers.commanding import Clock, ServerId, known_form
from serverdomain.store.finding import Finding
from serverdomain.store.in_order import in_order
from serverdomain.store.log import LARGEST, Log
from serverdomain.store.recorded import RecordedEvent


class Questions:
    """The questions of `Servers`.

    ``as_of`` may be an `AsOf` or its words: ``"version:1"``, ``"2024-11-11"``, ``"2 days ago"``.
    """

    _clock: Clock

    def __init__(self, log: Log, view: str | Path | None) -> None:
        self._log = log
        self._view_path = view
        self._view: ServerView | None = None
        self._timeline: Timeline | None = None
        self._opening_view = Lock()
        self._beginnings = Beginnings(log, view)
        if log.caches is not None:
            log.beginning = self._beginnings.find

    @property
    def view(self) -> ServerView:
        """The current server view, as rows; its file is opened, or made, when it is first asked."""
        with self._opening_view:
            if self._view is None:
                self._view = ServerView(self._log, self._view_path)
            return self._view

    @property
    def timeline(self) -> Timeline:
        """Every event of the log, to be searched; its file is opened, or made, when first asked."""
        with self._opening_view:
            if self._timeline is None:
                self._timeline = Timeline(self._log)
            return self._timeline

    @property
    def log_id(self) -> str:
        """The id that the log was given when it was made; a copy of its file keeps it.

        Raises `StoreDamaged` where somebody has taken it away.
        """
        with self._log.reading() as log:
            return log.log_id()

    @property
    def ledger(self) -> Ledger:
        """Signed checkpoints of the log, and whether it still holds what they cover."""
        return Ledger(self._log)

    @typed
    def find(self, named: str, *, request_id: str | None = None, whole: bool = False) -> str:
        """The id of the server that somebody means.

        By its id, which needs no view; by the beginning of it, four digits or more, unless the name
        must be ``whole``; or by its name. A deleted server counts. With a ``request_id`` it is the
        server that its command was recorded for, if that had this name then. Raises `NotFound`, and
        `Refused` (the rule ``name``) where it fits more than one.
        """
        return naming.find(self._log, lambda: self.view, named, request_id, whole)

    def get(
        self, server_id: ServerId, *, project_id: str | None = None, as_of: AsOf | str | None = None
    ) -> Server:
        """The server as it is now, or as of a moment. Raises `NotFound`, also for a deleted one.

        With a ``project_id`` a server of another project is not there either. Raises `Refused` for
        a version or position beyond the head.
        """
        known = known_form(server_id)
        then = None if as_of is None else as_of_given(as_of, self._clock())
        if then is None:
            server = require_there(self._log.server(known), known)
        else:
            with self._log.reading() as log:
                server = server_as_of(log, known, then)
        require_project(server, project_id)
        return server

    def mark(self) -> int | None:
        """A number that is another once anything was committed; ``None`` if it is not known.

        Reads no row, and never waits.
        """
        return self._log.mark()

    def get_at_once(
        self, server_id: ServerId, *, project_id: str | None = None, mark: int | None = None
    ) -> Server | None:
        """What `get` would give, if that is known without a look into the log; never waits.

        It is behind a `get`, until anybody in any process commands something. For event loops. With
        a `mark` that was read a moment ago it is what a `get` would have given then.
        """
        if mark is None:
            mark = self.mark()
        elif type(mark) is not int:
            require_type("mark", mark, int)
        server = self._log.server_at_once(known_form(server_id), mark)
        if is_there(server):
            require_project(server, project_id)
            return server
        limits.texts(project_id=project_id)
        return None

    @typed
    def wait_for(self, position: int | Accepted | None, seconds: float = coming.SECONDS) -> None:
        """Wait until what is asked here is answered as of a position, or a later one.

        It is the one of an `Accepted`, which may come from another node; ``None``, of a command
        that changed nothing, is there at once. A view and a timeline that are open here are brought
        there, too. Raises `StoreBehind` where that takes longer than ``seconds`` and, for an
        `Accepted`, where its command is lost and the position is another's.
        """
        request_id = None
        if isinstance(position, Accepted):
            request_id, position = position.request_id, position.position
        coming.wait_for(self._log, position, seconds, request_id)
        for view in (self._view, self._timeline):
            if position is not None and view is not None:
                view.reach(position)

    def latest(self) -> datetime | None:
        """When the log took its latest command in, aware; ``None`` where it is empty."""
        with self._log.reading() as log:
            micros = log.latest_recorded_at()
        return None if micros is None else moment.to_datetime(micros)

    def head(self) -> int:
        """The last position of the log; 0 where it is empty."""
        with self._log.reading() as log:
            return log.head()

    @typed
    def follow(self, server_id: ServerId, seconds: float | None = None) -> Iterator[Server]:
        """The server as it is, then after each event that the log takes in, whoever asked for it.

        Ends after so many seconds, if any are given. Raises `NotFound` where it is not there, or
        once it is deleted.
        """
        if seconds is not None:
            coming.require_position(None, seconds)
        return follow(self._log, known_form(server_id), seconds)

    @typed
    def history(self, server_id: ServerId) -> list[HistoryEntry]:
        """What happened to a server, in order of occurrence; a deleted one's stays.

        What was refused stands in its place, with no version.

        Raises `NotFound` where the log knows nothing of it.
        """
        return history(self.recorded(server_id))

    @typed
    def recorded(self, server_id: ServerId, *, after: int = 0) -> Iterator[RecordedEvent]:
        """What the log recorded of a server, as `history`, without what it changed.

        One after another: of a long history no more is held at a time than a part. Behind a
        position, if ``after`` is one; nothing there is no error. Raises `NotFound` where the log
        knows nothing of it.
        """
        is_known = after > 0
        after = min(max(after, 0), LARGEST)  # No engine takes a larger number.
        with self._log.reading() as log:
            for one in in_order(log, known_form(server_id), after=after, with_refusals=True):
                yield one
                is_known = True
        if not is_known:
            raise NotFound(f"server {server_id} is not there, and never was")

    @typed
    def actions(self, server_id: ServerId, *, project_id: str | None = None) -> list[Action]:
        """What was asked of a server and how it went, newest first, by Nova's names.

        An action is a recorded command that a user of the Compute API can ask for. Raises
        `NotFound`, also for a deleted server, and for one of another project than the given. Of a
        server with more than 5,000 facts the latest tell.
        """
        known = known_form(server_id)
        with self._log.reading() as log:
            require_project(require_there(log.so_far(known).server, known), project_id)
            return actions(log.lately(known, TOLD, MOST_VERSIONS))

    @typed
    def what_if(
        self,
        server_id: ServerId,
        *,
        drop: Iterable[RequestOrPosition] = (),
        insert: Iterable[Supposed] = (),
        replace: Mapping[RequestOrPosition, CommandOrFacts] | None = None,
        progress: Progress = silent,
    ) -> WhatIf:
        """What a server would be, had something been asked otherwise; nothing is written.

        Its history is decided again without the requests (by their ids) and events (by their
        positions) in ``drop``, with what is in ``insert``, and with a command or facts in place of
        those in ``replace``. ``progress`` is told how many requests are decided, and of how many.
        Raises `NotFound` for what is not in this server's history.
        """
        recorded, known = [*self.recorded(server_id)], known_form(server_id)
        return what_if(
            known, recorded, drop=drop, insert=insert, replace=replace, progress=progress
        )

    @typed
    def backup(
        self,
        out: str | Path,
        key: str | Path | None = None,
        *,
        verify: bool = False,
        progress: Progress = silent,
    ) -> Backup:
        """Copy the log as it is now into ``out``, a new file, while others go on writing.

        The file opens as a store by itself, and is there whole or not at all. With a ``key`` the
        copy is signed into ``out.checkpoint``, as `Ledger.checkpoint` does. ``verify`` reads it
        back, and raises `StoreDamaged` where it does not hold. ``progress`` is told how much is
        done, and of how much, of each of these. Raises `InvalidInput` where a file is there.
        """
        return back_up(self._log, out, key, verify=verify, progress=progress)

    @typed
    def check(self, progress: Progress = silent) -> list[Finding]:
        """What of log, view and timeline does not hold, in one pass; nothing is written.

        ``progress`` is told how many steps are done, and of how many.
        """
        now = moment.to_micros(self._clock(), "clock")
        log, caches = self._log.examining(), self._log.caches
        return list(check(log, caches, self._view_path, progress, now=now))

    def list(self, **asked: Unpack[Asked]) -> list[Server]:
        """The servers that are there, newest first, from the view, which is caught up first.

        Of those created at the same time, the one that the log learnt of last comes first.
        ``status`` as documented (ACTIVE, BUILD, ERROR, REBUILD, SHUTOFF), ``image_id``,
        ``flavor_id`` and ``project_id`` are what they have; ``name`` finds a part, of which,
        ``anchored``, a ``^`` before it and a ``$`` behind it stand for the name's ends. Of each,
        several values mean any of them. At most ``limit`` are given, those behind the server with
        the id ``marker``, which may be deleted by now. ``sort`` is another order (``"name"``,
        ``"updated:desc"``), in which a page begins behind ``offset`` servers. Raises
        `InvalidInput`, also for an unknown marker.
        """
        return self.view.servers(caught_up=True, **asked)

    def __len__(self) -> int:
        view = self.view
        view.catch_up()
        return len(view)

    def __bool__(self) -> bool:
        return True  # It is there, even if there are no servers in it.

    def __iter__(self) -> Iterator[Server]:
        return iter(self.list())

    def __contains__(self, server: ServerId | Server) -> bool:
        try:
            return bool(self.get(server.id if isinstance(server, Server) else server))
        except NotFound:
            return False

    @typed
    def fleet(self, *, as_of: AsOf | str | None = None, progress: Progress = silent) -> Fleet:
        """Every server that was there as of a position or ``recorded_at``, or is now, as rows.

        To be used in a ``with``. ``progress`` is told the position reached and the one asked for.
        """
        return Fleet(self._log, self._keyframes, as_of_given(as_of, self._clock()), progress)

    @cached_property
    def _keyframes(self) -> Keyframes:
        return Keyframes(self._log)

    @typed
    def diff(self, server_id: ServerId, before: Moment = "first", after: Moment = "now") -> Diff:
        """What changed between two moments of a server, in whichever order, and by which events.

        A moment is an `AsOf` or its words, ``"first"`` or ``"now"``. Raises `NotFound` where it was
        there at neither, `Refused` beyond the head.
        """
        one, other = self._moments(before, after)
        with self._log.reading() as log:
            return diff(log, known_form(server_id), one, other)

    @typed
    def diff_servers(self, one_id: ServerId, other_id: ServerId) -> Diff:
        """How one server as it is now differs from another. Raises `NotFound`."""
        with self._log.reading() as log:
            return diff_servers(log, known_form(one_id), known_form(other_id))

    @typed
    def diff_fleet(
        self, before: Moment = "first", after: Moment = "now", *, progress: Progress = silent
    ) -> FleetDiff:
        """What changed in the fleet between two positions or ``recorded_at``.

        ``progress`` is told how many of the servers in question are done, and how many they are.
        """
        one, other = self._moments(before, after)
        with self._log.reading() as log:
            return diff_fleet(log, one, other, progress)

    def _moments(self, before: Moment, after: Moment) -> tuple[Resolved, Resolved]:
        now = self._clock()
        return moment_of(before, now, "before"), moment_of(after, now, "after")

    def _close_views(self) -> None:
        self._beginnings.close()
        for view in (self._view, self._timeline):
            if view is not None:
                view.close()
