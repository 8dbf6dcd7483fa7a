"""`AsyncServers`: the names of `Servers`, awaited, for who works in an event loop.

It holds no rule, and makes no request of its own: a command is made by the same methods, then left
to the one thread that hands all that wait to the log together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import nullcontext
from datetime import datetime
from functools import partial, wraps
from inspect import signature
from typing import Any, Literal, ParamSpec

from serverdomain.domain.server import Server
from serverdomain.domain.typed import typed
from serverdomain.projections import coming
from serverdomain.projections.follow import Followed
from serverdomain.projections.reactions import ATTEMPTS
from serverdomain.servers import Servers
from serverdomain.servers.accepted import Accepted
from serverdomain.servers.awaited.commands import Asking, AsyncCommands
from serverdomain.servers.awaited.growth import Growth
from serverdomain.servers.awaited.left_commands import LeftCommands
from serverdomain.servers.awaited.questions import AsyncQuestions
from serverdomain.servers.awaited.reaction import AsyncReaction, AtWork, Handler, OnLoop
from serverdomain.servers.awaited.threads import Threads
from serverdomain.servers.commanding import ServerId, known_form

__all__ = ["AsyncReaction", "AsyncServers"]

P = ParamSpec("P")

MOST = 16
"""The most threads that wait for the store, and so the most questions at a time."""


class Opening:
    """`AsyncServers` that are opened once this is awaited, or entered."""

    def __init__(self, opens: Callable[[], Servers]) -> None:
        self._opens = opens

    def __await__(self) -> Generator[Any, None, AsyncServers]:
        return self._open().__await__()

    async def _open(self) -> AsyncServers:
        opening = Threads(1).run(self._opens)
        try:
            return AsyncServers(await asyncio.shield(opening))
        except asyncio.CancelledError:
            opening.add_done_callback(_close)  # Nobody else would.
            raise

    async def __aenter__(self) -> AsyncServers:
        self._servers = await self._open()
        return self._servers

    async def __aexit__(self, *_: object) -> None:
        await self._servers.close()


def _close(opening: asyncio.Future[Servers]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _opened(opens: Callable[P, Servers]) -> Callable[P, Opening]:
    @wraps(opens)
    def open(*args: P.args, **named: P.kwargs) -> Opening:
        return Opening(partial(opens, *args, **named))

    shown = signature(opens).replace(return_annotation="Opening")
    open.__signature__ = shown  # type: ignore[attr-defined]
    return open


@typed
class AsyncServers(AsyncCommands, AsyncQuestions):
    """The servers in a log, for an event loop: what `Servers` has, awaited.

    A command is left to a thread that hands all that wait to the log at once; it needs no thread of
    its own. A caller that is cancelled leaves a command that happens or does not, never half: the
    same command under the same request id finds out. Questions run in a small pool of threads,
    unless the answer is remembered.

    They are what it iterates over, with ``async for``. May be used by several loops, one after the
    other or each in its thread. ``blocking`` are the `Servers` beneath, which it closes.
    """

    open = staticmethod(_opened(Servers.open))

    def __init__(self, servers: Servers) -> None:
        self.blocking = servers
        self._threads = Threads(MOST)
        self._left = LeftCommands(servers._log)
        self._growth = Growth(servers._log)
        self._asking = Asking(self._left, servers._clock)

    @property
    def read_only(self) -> bool:
        """Whether it answers questions alone; a command raises `StoreReadOnly`."""
        return self.blocking.read_only

    def now(self) -> datetime:
        """What its clock says, aware."""
        return self.blocking.now()

    async def follow(
        self, server_id: ServerId, seconds: float | None = None
    ) -> AsyncIterator[Server]:
        """The server as it is, then after each event that the log takes in, whoever asked for it.

        Ends after so many seconds, if any are given. Raises `NotFound` where it is not there, or
        once it is deleted.
        """
        followed = Followed(self.blocking._log, known_form(server_id))
        time = asyncio.get_running_loop().time
        until = None if seconds is None else time() + seconds
        while True:
            for server in await self._threads.run(followed.states):
                yield server
            left = None if until is None else until - time()
            if left is not None and left <= 0:
                return
            await self._growth.past(followed.head, left)

    async def wait_for(
        self, position: int | Accepted | None, seconds: float = coming.SECONDS
    ) -> None:
        """Wait until what is asked here is answered as of a position, or a later one.

        It is the one of an `Accepted`, which may come from another node; ``None``, of a command
        that changed nothing, is there at once. A view and a timeline that are open here are brought
        there, too. Raises `StoreBehind` where that takes longer than ``seconds`` and, for an
        `Accepted`, where its command is lost and the position is another's.
        """
        last = position.position if isinstance(position, Accepted) else position
        coming.require_position(last, seconds)
        if last is not None:
            await self._growth.past(last - 1, seconds)
            await self._threads.run(self.blocking.wait_for, position, 0)

    async def react(
        self,
        name: str,
        handler: Handler,
        *,
        start: Literal["head", "beginning"] = "head",
        attempts: int = ATTEMPTS,
        at_work: AtWork = nullcontext,
        events: Sequence[str] = (),
    ) -> AsyncReaction:
        """Run ``handler`` on this loop once something happened, until it is stopped.

        An ``async def`` is awaited on the loop, event by event; another runs in the reaction's own
        thread. What ``at_work`` makes may be an asynchronous context manager: it is entered and
        left in one task on the loop. All else is as with `Servers.react`.
        """
        on_this = partial(OnLoop, asyncio.get_running_loop())
        begin = partial(self.blocking._started, on_this)
        return AsyncReaction(
            await self._threads.run(begin, name, handler, start, attempts, at_work, events)
        )

    async def close(self) -> None:
        """Stop the reactions, wait for the commands that were left, and close store and views."""
        await self._threads.run(self._close)
        self._threads.end()

    def _close(self) -> None:
        for thread in (*self._left.end(), *self._growth.end()):
            thread.join()
        self.blocking.close()

    def __repr__(self) -> str:
        return f"<AsyncServers of {self.blocking._log}>"

    __reduce__ = Servers.__reduce__

    async def __aenter__(self) -> AsyncServers:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
