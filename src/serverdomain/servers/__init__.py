"""`Servers`, the one facade: the application that people embed.

It wires the rooms and holds no rule: `domain` decides, `store` keeps, `projections` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from serverdomain.audit.keyframes import Keyframes
from serverdomain.domain.typed import typed
from serverdomain.errors import Conflict, InvalidInput, StoreReadOnly
from serverdomain.projections import saved_bookmark
from serverdomain.projections.reactions import ATTEMPTS, AtWork, Handler, Reaction
from serverdomain.servers.accepted import Accepted, Failed
from serverdomain.servers.commanding import Clock, system_clock
from serverdomain.servers.commands import Commands
from serverdomain.servers.questions import Questions
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log
from serverdomain.store.opening import Store, open_log, open_to_read

if TYPE_CHECKING:
    from serverdomain.servers.bulk import Bulk

__all__ = ["Accepted", "Clock", "Servers", "system_clock"]

Running = TypeVar("Running", bound=Reaction)


@typed
class Servers(Commands, Questions):
    """The servers in a log: commands, and questions about them.

    Every command takes a ``context`` (who asks, under which request id), ``expected_version`` (the
    version that the caller decided on) and ``occurred_at`` (an aware datetime; now, if absent), and
    gives back an `Accepted`. It raises `Refused` where a rule says no, `Conflict` where another
    command came first, `NotFound` where there is no such server, `InvalidInput` for words that mean
    nothing, `OutcomeUnknown` where the disk did not tell; nothing changes in the first four.

    Its length is the number of servers that are there; they are what it iterates over, and ``in``
    asks for one or for its id. May be shared between threads; not with a forked child.
    """

    def __init__(
        self,
        log: Log,
        clock: Clock = system_clock,
        view: str | Path | None = None,
    ) -> None:
        Questions.__init__(self, log, view)
        self._clock = clock
        self._running: list[Reaction] = []

    @classmethod
    def open(
        cls,
        store: Store,
        *,
        create: bool = True,
        read_only: bool = False,
        view: str | Path | None = None,
        clock: Clock = system_clock,
    ) -> Servers:
        """Open a store: a path, ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``memory:``.

        Makes it where there is none, unless ``create`` is false. ``view`` is the file of the view,
        beside the store's if not given. With ``read_only`` a store that is there is read alone: no
        byte of it changes, and views lie in a cache of the user's, or in memory where there is
        none. Raises `StoreError`, and `StoreReadOnly` for one that cannot be written otherwise.
        """
        log = open_to_read(store) if read_only else open_log(store, create=create)
        return cls(log, clock, view)

    @property
    def read_only(self) -> bool:
        """Whether it answers questions alone; a command raises `StoreReadOnly`."""
        return self._log.read_only

    def bulk(self, failed: Failed | None = None) -> Bulk:
        """Take in many commands or facts, thousands a transaction; to be used in a ``with``.

        ``failed`` is told the request id of each that did not happen, and why; without it the
        first error is raised when its transaction is written.
        """
        if self.read_only:
            raise StoreReadOnly("nothing can be commanded of a store that is only read here")
        from serverdomain.servers.bulk import Bulk  # Who shows one server does without.

        return Bulk(self._log, self._clock, failed)

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
        return self._started(Reaction, name, handler, start, attempts, at_work, events)

    def _started(self, kind: Callable[..., Running], *arguments: Any) -> Running:
        if self.read_only:
            raise StoreReadOnly("a reaction keeps its place in the store, which is only read here")
        reaction = kind(self._log, *arguments)
        self._running = [*(one for one in self._running if one.is_alive), reaction]
        return reaction

    def reactions(self) -> list[Bookmark]:
        """How far each reaction that ever ran has come, and why it stopped, if it did."""
        with self._log.reading() as log:
            return log.bookmarks()

    def resume_reaction(self, name: str) -> Bookmark:
        """Let a stopped reaction try its event again. Raises `NotFound` where there is none."""
        return saved_bookmark.resume(self._log, name)

    def skip_reaction(self, name: str) -> Bookmark:
        """Let a stopped reaction go on behind the event that stopped it. Raises `NotFound`."""
        return saved_bookmark.skip(self._log, name)

    def now(self) -> datetime:
        """What its clock says, aware."""
        return self._clock()

    def forget(self) -> None:
        """Throw a log in memory away, and begin an empty one; its reactions are stopped.

        For tests, which share what is dear to start. Raises `Conflict` for a log in a file.
        """
        self.require_forgettable()
        self._stop_reactions()
        with self._opening_view:
            self._close_views()
            self._view = self._timeline = None
            self._log.forget()
            self._keyframes = Keyframes(self._log)

    def require_forgettable(self) -> None:
        """Raise `Conflict` unless the log is in memory, and can be forgotten."""
        if self._log.is_kept:
            raise Conflict("the store is a file, which is kept; one in memory: can be forgotten")

    def close(self) -> None:
        """Stop the reactions, and close store and views."""
        self._stop_reactions()
        self._close_views()
        self._log.close()

    def _stop_reactions(self) -> None:
        for reaction in self._running:
            reaction.stop()

    def __repr__(self) -> str:
        return f"<Servers of {self._log}>"

    def __reduce__(self) -> NoReturn:
        raise InvalidInput(
            "servers",
            f"a copy of {self!r} was asked for, one is allowed for all threads of a process: "
            "another process opens the store itself",
        )

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
