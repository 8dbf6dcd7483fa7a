"""`Servers`, the one facade: the application that people embed.

It wires the rooms and holds no rule: `domain` decides, `store` keeps, `projections` shows.
"""

from __future__ import annotations

import dataclasses
import secrets
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypedDict, overload
from uuid import uuid4

from msgspec import UNSET, UnsetType

from serverdomain.audit.as_of import AsOf, Moment, server_as_of
from serverdomain.audit.check import check
from serverdomain.audit.diff import Diff, FleetDiff, diff, diff_fleet, diff_servers
from serverdomain.audit.fleet import Fleet
from serverdomain.audit.keyframes import Keyframes
from serverdomain.audit.ledger import Ledger
from serverdomain.audit.supposed import CommandOrFacts, RequestOrPosition, Supposed
from serverdomain.audit.what_if import WhatIf, what_if
from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.domain import limits, moment
from serverdomain.domain.decisions import require_project, require_there
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.server import Server
from serverdomain.errors import Conflict, InvalidInput, NotFound
from serverdomain.projections import reactions
from serverdomain.projections.follow import follow
from serverdomain.projections.history import HistoryEntry, history
from serverdomain.projections.reactions import ATTEMPTS, AtWork, Handler, Reaction
from serverdomain.projections.server_query import Asked
from serverdomain.projections.server_view import ServerView
from serverdomain.projections.timeline import Timeline
from serverdomain.store.accept import Outcome, Request
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.context import Context
from serverdomain.store.finding import Finding
from serverdomain.store.log import Log
from serverdomain.store.opening import open_log
from serverdomain.store.remembered import Remembered

if TYPE_CHECKING:
    from typing_extensions import Unpack

Clock = Callable[[], datetime]
"""Tells the time, aware."""

_PASSWORD_LENGTH = 12
_PASSWORD_LETTERS = string.ascii_letters + string.digits


def system_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclasses.dataclass(frozen=True)
class Accepted:
    """What a command gave: the server as it then is, the events, the position of the last.

    A command that changed nothing has no events and no position. ``replayed`` says that the
    request id was in the log and this is the first outcome. ``admin_pass`` is the one-time password
    of a rebuild or a create, told here alone and never again.
    """

    server: Server
    events: tuple[e.Event, ...]
    position: int | None
    replayed: bool
    admin_pass: str | None = dataclasses.field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The server's id."""
        return self.server.id


class How(TypedDict, total=False):
    """What every command may be told besides.

    ``expected_version`` is the version that the caller decided on; ``occurred_at``, aware, when it
    happened (now, if absent); ``project_id`` the project that the server must be of, or it is not
    there for the caller.
    """

    expected_version: int | None
    occurred_at: datetime | None
    project_id: str | None


class Servers:
    """The servers in a log: commands, and questions about them.

    Every command takes a ``context`` (who asks, under which request id), ``expected_version`` (the
    version that the caller decided on) and ``occurred_at`` (an aware datetime; now, if absent), and
    gives back an `Accepted`. It raises `Refused` where a rule says no, `Conflict` where another
    command came first, `NotFound` where there is no such server, `InvalidInput` for words that mean
    nothing, `OutcomeUnknown` where the disk did not tell; nothing changes in the first four.

    May be shared between threads; not with a forked child.
    """

    def __init__(
        self,
        log: Log,
        clock: Clock = system_clock,
        view: str | Path | None = None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._view_path = view
        self._view: ServerView | None = None
        self._timeline: Timeline | None = None
        self._opening_view = Lock()
        self._remembered = Remembered(log)
        self._running: list[Reaction] = []

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        view: str | Path | None = None,
        clock: Clock = system_clock,
    ) -> Servers:
        """Open a store: ``sqlite:///relative.db``, ``sqlite:////absolute.db`` or ``memory:``.

        Makes it where there is none, unless ``create`` is false. ``view`` is the file of the view,
        beside the store's if not given. Raises `StoreError`.
        """
        return cls(open_log(url, create=create), clock, view)

    @property
    def view(self) -> ServerView:
        """The current server view, as rows; its file is opened, or made, when it is first asked."""
        with self._opening_view:
            if self._view is None:
                self._view = ServerView(self._log, self._view_path)
            return self._view

    @property
    def ledger(self) -> Ledger:
        """Signed checkpoints of the log, and whether it still holds what they cover."""
        return Ledger(self._log)

    @property
    def timeline(self) -> Timeline:
        """Every event of the log, to be searched; its file is opened, or made, when first asked."""
        with self._opening_view:
            if self._timeline is None:
                self._timeline = Timeline(self._log)
            return self._timeline

    def react(
        self,
        name: str,
        handler: Handler,
        *,
        start: Literal["head", "beginning"] = "head",
        attempts: int = ATTEMPTS,
        at_work: AtWork = nullcontext,
        events: Sequence[str] = (),
    ) -> Reaction:
        """Run ``handler`` once something happened, in a thread of its own, until it is stopped.

        It is told of every event, or of those whose names are in ``events``, at least once, in the
        log's order, from a durable position under ``name``; a new one begins at ``start``. After so
        many ``attempts`` with one event it stops.
        What ``at_work`` makes is entered when this process takes up the work, before the first
        event, and left when it ends: of all processes one is at work.
        """
        reaction = Reaction(self._log, name, handler, start, attempts, at_work, events)
        self._running = [*(one for one in self._running if one.is_alive), reaction]
        return reaction

    def reactions(self) -> list[Bookmark]:
        """How far each reaction that ever ran has come, and why it stopped, if it did."""
        with self._log.reading() as log:
            return log.bookmarks()

    def resume_reaction(self, name: str) -> Bookmark:
        """Let a stopped reaction try its event again. Raises `NotFound` where there is none."""
        return reactions.resume(self._log, name)

    def skip_reaction(self, name: str) -> Bookmark:
        """Let a stopped reaction go on behind the event that stopped it. Raises `NotFound`."""
        return reactions.skip(self._log, name)

    def now(self) -> datetime:
        """What its clock says, aware."""
        return self._clock()

    def forget(self) -> None:
        """Throw a log in memory away, and begin an empty one; its reactions are stopped.

        For tests, which share what is dear to start. Raises `Conflict` for a log in a file.
        """
        if self._log.is_kept:
            raise Conflict("the store is a file, which is kept; one in memory: can be forgotten")
        self._stop_reactions()
        with self._opening_view:
            self._close_views()
            self._view = self._timeline = None
            self._log.forget()
            self._keyframes = Keyframes(self._log)

    def close(self) -> None:
        """Stop the reactions, and close store and views."""
        self._stop_reactions()
        self._close_views()
        self._log.close()

    def _stop_reactions(self) -> None:
        for reaction in self._running:
            reaction.stop()

    def _close_views(self) -> None:
        for view in (self._view, self._timeline):
            if view is not None:
                view.close()

    def __enter__(self) -> Servers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Commands

    def register(
        self, command: c.RegisterServer, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Adopt a server as it is. It occurred at its ``updated``, unless said otherwise."""
        return self.command(None, command, context, **how)

    def create(
        self, command: c.CreateServer, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Make a new server in the actor's project; BUILD until `report_built`."""
        return self.command(None, command, context, **how)

    def report_built(
        self, server_id: str, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Say that a created server is up."""
        return self.command(server_id, c.ReportBuilt(), context, **how)

    def rebuild(
        self,
        server_id: str,
        command: c.RebuildServer,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Wipe the server and install it again from an image (documented *Rebuild server*)."""
        return self.command(server_id, command, context, **how)

    def report_progress(
        self,
        server_id: str,
        percent: int,
        context: Context | None = None,
        *,
        rebuild_id: str | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Say how far the rebuild is, in percent; a lower one is late and changes nothing."""
        command = c.ReportProgress(percent=percent, rebuild_id=_given(rebuild_id))
        return self.command(server_id, command, context, **how)

    def complete_rebuild(
        self,
        server_id: str,
        context: Context | None = None,
        *,
        progress: int = 100,
        rebuild_id: str | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Say that the rebuild is done; ``progress`` is the percentage shown from then on."""
        command = c.CompleteRebuild(progress=progress, rebuild_id=_given(rebuild_id))
        return self.command(server_id, command, context, **how)

    def fail_rebuild(
        self,
        server_id: str,
        reason: str,
        stage: e.Stage = "hypervisor",
        context: Context | None = None,
        *,
        rebuild_id: str | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Say that the rebuild came to nothing. One that was not scheduled restores the image."""
        command = c.FailRebuild(reason=reason, stage=stage, rebuild_id=_given(rebuild_id))
        return self.command(server_id, command, context, **how)

    def rename(
        self, server_id: str, name: str, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Give the server another name."""
        command = c.RenameServer(name=name)
        return self.command(server_id, command, context, **how)

    def change(
        self,
        server_id: str,
        command: c.ChangeServer,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Change its name, its access addresses or its disk config, without a rebuild."""
        return self.command(server_id, command, context, **how)

    def update_metadata(
        self,
        server_id: str,
        metadata: dict[str, str],
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Merge items into the metadata."""
        command = c.UpdateMetadata(metadata=metadata)
        return self.command(server_id, command, context, **how)

    def replace_metadata(
        self,
        server_id: str,
        metadata: dict[str, str],
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Make the metadata this map, whole."""
        command = c.ReplaceMetadata(metadata=metadata)
        return self.command(server_id, command, context, **how)

    def delete_metadata(
        self,
        server_id: str,
        keys: Sequence[str],
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Take items out of the metadata by their keys, each of which must be there."""
        command = c.DeleteMetadata(keys=(keys,) if isinstance(keys, str) else tuple(keys))
        return self.command(server_id, command, context, **how)

    def lock(self, server_id: str, context: Context | None = None, **how: Unpack[How]) -> Accepted:
        """Let only administrators act on it; the owner's lock if the project is the server's."""
        return self.command(server_id, c.LockServer(), context, **how)

    def unlock(
        self, server_id: str, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Let its users act on it again; an administrator's lock only administrators open."""
        return self.command(server_id, c.UnlockServer(), context, **how)

    def stop(self, server_id: str, context: Context | None = None, **how: Unpack[How]) -> Accepted:
        """Turn it off."""
        return self.command(server_id, c.StopServer(), context, **how)

    def start(self, server_id: str, context: Context | None = None, **how: Unpack[How]) -> Accepted:
        """Turn it on."""
        return self.command(server_id, c.StartServer(), context, **how)

    def reset_state(
        self, server_id: str, state: e.State, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Say what state it is in, ACTIVE or ERROR; for administrators. Ends a rebuild."""
        command = c.ResetState(state=state)
        return self.command(server_id, command, context, **how)

    def delete(
        self, server_id: str, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Remove the server, at once and for good; its history stays."""
        return self.command(server_id, c.DeleteServer(), context, **how)

    def record(
        self,
        server_id: str,
        events: Sequence[e.Event],
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Outcome:
        """Take in facts that happened elsewhere, at one time, in any order; no rule is asked.

        They may lie before facts that are in the log already, and take their place among them. The
        outcome's server is ``None`` while it has not begun.
        """
        return self.command(server_id, c.RecordFacts(events=tuple(events)), context, **how)

    @overload
    def command(  # type: ignore[overload-overlap]
        self,
        server_id: str | None,
        command: c.RecordFacts,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Outcome: ...

    @overload
    def command(
        self,
        server_id: str | None,
        command: c.Command,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted: ...

    def command(
        self,
        server_id: str | None,
        command: c.Command,
        context: Context | None = None,
        *,
        expected_version: int | None = None,
        occurred_at: datetime | None = None,
        project_id: str | None = None,
    ) -> Accepted | Outcome:
        """Ask a command of a server: what each of the methods above does.

        ``server_id`` may be ``None`` for a command that names its server itself, or leaves its id
        to be generated. `RecordFacts` gives an `Outcome`, whose server may not have begun.
        """
        context = context or Context()
        if server_id is None:
            named = getattr(command, "server_id", UNSET)
            server_id = str(uuid4()) if named is UNSET else named
        micros = moment.to_micros
        request = Request(
            server_id=_known_form(server_id),
            command=command,
            context=context,
            now=micros(self._clock(), "clock"),
            occurred_at=None if occurred_at is None else micros(occurred_at, "occurred_at"),
            expected_version=expected_version,
            project_id=project_id,
        )
        outcome = self._log.accept(request)
        if isinstance(command, c.RecordFacts):
            return outcome
        assert outcome.server is not None  # What decides on nothing is a beginning, or raised.
        return Accepted(
            outcome.server,
            outcome.events,
            outcome.position,
            outcome.replayed,
            None if outcome.replayed else _password(command),
        )

    # Questions

    def get(
        self, server_id: str, *, project_id: str | None = None, as_of: AsOf | None = None
    ) -> Server:
        """The server as it is now, or as of a moment. Raises `NotFound`, also for a deleted one.

        With a ``project_id`` a server of another project is not there either. Raises `Refused` for
        a version or position beyond the head.
        """
        known = _known_form(server_id)
        # By its bounds: a wall clock shows one hour twice, and Python takes the two for equal.
        question = (known, None if as_of is None else tuple(as_of.bounds.items()))
        server = self._remembered.find(question)
        if server is None:
            mark = self._remembered.mark()
            server = self._read(known, as_of)
            self._remembered.keep(question, server, mark)
        require_project(server, project_id)
        return server

    def get_at_once(self, server_id: str, *, project_id: str | None = None) -> Server | None:
        """What `get` would give, if that is known without a look into the log; never waits.

        It is behind a `get`, until anybody in any process commands something. For event loops.
        """
        server = self._remembered.find((server_id, None))
        if server is not None:
            require_project(server, project_id)
        return server

    def _read(self, server_id: str, as_of: AsOf | None) -> Server:
        with self._log.reading() as log:
            if as_of is not None:
                return server_as_of(log, server_id, as_of)
            server = log.history(server_id).server
        return require_there(server, server_id)

    def latest(self) -> datetime | None:
        """When the log took its latest command in, aware; ``None`` where it is empty."""
        with self._log.reading() as log:
            micros = log.latest_recorded_at()
        return None if micros is None else moment.to_datetime(micros)

    def follow(self, server_id: str, seconds: float | None = None) -> Iterator[Server]:
        """The server as it is, then after each event that the log takes in, whoever asked for it.

        Ends after so many seconds, if any are given. Raises `NotFound` where it is not there, or
        once it is deleted.
        """
        return follow(self._log, _known_form(server_id), seconds)

    def history(self, server_id: str) -> list[HistoryEntry]:
        """What happened to a server, in order of occurrence; a deleted one's stays.

        What was refused stands in its place, with no version.

        Raises `NotFound` where the log knows nothing of it.
        """
        with self._log.reading() as log:
            recorded = log.recorded(_known_form(server_id), with_refusals=True)
        if not recorded:
            raise NotFound(f"server {server_id} is not there, and never was")
        return history(recorded)

    def what_if(
        self,
        server_id: str,
        *,
        drop: Iterable[RequestOrPosition] = (),
        insert: Iterable[Supposed] = (),
        replace: Mapping[RequestOrPosition, CommandOrFacts] | None = None,
    ) -> WhatIf:
        """What a server would be, had something been asked otherwise; nothing is written.

        Its history is decided again without the requests (by their ids) and events (by their
        positions) in ``drop``, with what is in ``insert``, and with a command or facts in place of
        those in ``replace``. Raises `NotFound` for what is not in this server's history.
        """
        known = _known_form(server_id)
        with self._log.reading() as log:
            recorded = log.recorded(known, with_refusals=True)
        if not recorded:
            raise NotFound(f"server {server_id} is not there, and never was")
        return what_if(known, recorded, drop=drop, insert=insert, replace=replace)

    def check(self, progress: Progress = silent) -> list[Finding]:
        """What of log and view does not hold, in one pass over both; nothing is written.

        ``progress`` is told how many steps are done, and of how many.
        """
        return list(check(self._log.examining(), self._log.caches, self._view_path, progress))

    def list(self, **asked: Unpack[Asked]) -> list[Server]:
        """The servers that are there, newest first, from the view, which is caught up first.

        ``status`` as documented (ACTIVE, BUILD, ERROR, REBUILD, SHUTOFF), ``image_id`` and
        ``project_id`` are what they have; ``name`` finds a part, of which, ``anchored``, a ``^``
        before it and a ``$`` behind it stand for the name's ends. At most ``limit`` are given,
        those behind the server with the id ``marker``. Raises `InvalidInput`, also for an unknown
        marker.
        """
        return self.view.servers(caught_up=True, **asked)

    def fleet(self, *, as_of: AsOf | None = None, progress: Progress = silent) -> Fleet:
        """Every server that was there as of a position or ``recorded_at``, or is now, as rows.

        To be used in a ``with``. ``progress`` is told the position reached and the one asked for.
        """
        return Fleet(self._log, self._keyframes, as_of, progress)

    @cached_property
    def _keyframes(self) -> Keyframes:
        return Keyframes(self._log)

    def diff(self, server_id: str, before: Moment = "first", after: Moment = "now") -> Diff:
        """What changed between two moments of a server, in whichever order, and by which events.

        A moment is an `AsOf`, ``"first"`` or ``"now"``. Raises `NotFound` where it was there at
        neither, `Refused` beyond the head.
        """
        with self._log.reading() as log:
            return diff(log, _known_form(server_id), before, after)

    def diff_servers(self, one_id: str, other_id: str) -> Diff:
        """How one server as it is now differs from another. Raises `NotFound`."""
        with self._log.reading() as log:
            return diff_servers(log, _known_form(one_id), _known_form(other_id))

    def diff_fleet(
        self, before: Moment = "first", after: Moment = "now", *, progress: Progress = silent
    ) -> FleetDiff:
        """What changed in the fleet between two positions or ``recorded_at``.

        ``progress`` is told how many of the servers in question are done, and how many they are.
        """
        with self._log.reading() as log:
            return diff_fleet(log, before, after, progress)


def _known_form(server_id: str) -> str:
    try:
        return limits.canonical_uuid("server_id", server_id)
    except InvalidInput:
        raise NotFound(f"server {limits.shown(server_id)} is not there: ids are UUIDs") from None


def _given(rebuild_id: str | None) -> str | UnsetType:
    return UNSET if rebuild_id is None else rebuild_id


def _password(command: c.Command) -> str | None:
    if not isinstance(command, c.RebuildServer | c.CreateServer):
        return None
    if command.admin_pass is not None:
        return command.admin_pass
    return "".join(secrets.choice(_PASSWORD_LETTERS) for _ in range(_PASSWORD_LENGTH))
