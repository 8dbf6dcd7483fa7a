"""A reaction whose handler runs on an event loop.

It is a reaction like any other, with its thread, its place and its attempts; only what the handler
gives to be awaited is awaited on the loop. A loop that ends is no failure of the handler: the event
is left to whoever works next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from inspect import isawaitable, iscoroutine
from typing import Any

from serverdomain.projections.happened import Happened
from serverdomain.projections.reactions import LOOK, Reaction
from serverdomain.servers.awaited.threads import Threads
from serverdomain.store.log import Log

Handler = Callable[[Happened], Awaitable[None] | None]
"""Is told of what happened; what it gives to be awaited is awaited on the loop."""

AtWork = Callable[[], AbstractContextManager[Any] | AbstractAsyncContextManager[Any]]
"""Makes what is entered before the first event in this process, and left after the last."""

MOST_WAITING = 8
"""The most who wait at a time for a reaction to stop, or to be caught up."""

_telling: ContextVar[Reaction | None] = ContextVar("_telling", default=None)


class OnLoop(Reaction):
    """The reaction itself, in a thread of its own."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        log: Log,
        name: str,
        handler: Handler,
        start: Any,
        attempts: int,
        at_work: AtWork,
        events: Any,
    ) -> None:
        self._loop = loop
        super().__init__(
            log,
            name,
            partial(self._handle, handler),
            start,
            attempts,
            partial(self._entered, at_work),
            events,
        )

    def _handle(self, handler: Handler, happened: Happened) -> None:
        awaited = handler(happened)
        if isawaitable(awaited):
            self._result(self._begun(awaited))

    @contextmanager
    def _entered(self, at_work: AtWork) -> Iterator[None]:
        made = at_work()
        if isinstance(made, AbstractContextManager):
            with made:
                yield
            return
        entered: Future[None] = Future()
        leaving = asyncio.Event()
        # It is entered and left in one task, as a group of tasks must be.
        work = self._begun(_stay(made, entered, leaving))
        work.add_done_callback(lambda _: entered.cancel())
        try:
            self._result(entered)
        except BaseException:
            self._result(work)  # Which says why.
            raise
        try:
            yield
        finally:
            self._on_loop(leaving.set)
            self._result(work)

    def _begun(self, awaited: Awaitable[None]) -> Future[None]:
        """Begin to await something on the loop."""
        future: Future[None] = Future()
        try:
            self._on_loop(lambda: _chain(asyncio.ensure_future(self._awaiting(awaited)), future))
        except RuntimeError:
            if iscoroutine(awaited):
                awaited.close()  # It never began.
            raise
        return future

    def _on_loop(self, call: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            self.let_end()  # The loop is closed.
            raise

    async def _awaiting(self, awaited: Awaitable[None]) -> None:
        _telling.set(self)
        try:
            await awaited
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                self.let_end()  # The loop is ending, and with it all that runs on it.
            raise

    def _result(self, future: Future[None]) -> None:
        while True:
            try:
                return future.result(LOOK)
            except TimeoutError:
                if future.done():
                    raise  # It is the handler's own.
                if self._loop.is_closed():
                    self.let_end()
                    raise


async def _stay(
    made: AbstractAsyncContextManager[Any], entered: Future[None], leaving: asyncio.Event
) -> None:
    async with made:
        entered.set_result(None)
        await leaving.wait()


def _chain(task: asyncio.Future[None], future: Future[None]) -> None:
    def done(_: object) -> None:
        if task.cancelled():
            future.cancel()
        elif (error := task.exception()) is not None:
            future.set_exception(error)
        else:
            future.set_result(None)

    task.add_done_callback(done)


class AsyncReaction:
    """A handler that is told of events, until `stop` or until the process or its loop ends.

    ``name`` is the reaction's.
    """

    def __init__(self, reaction: OnLoop) -> None:
        self.name = reaction.name
        self._reaction = reaction
        self._threads = Threads(MOST_WAITING)

    @property
    def is_alive(self) -> bool:
        """Whether it runs: at work, standing by, or waiting to be resumed."""
        return self._reaction.is_alive

    @property
    def is_stopped(self) -> bool:
        """Whether it has given up on an event, and waits to be resumed."""
        return self._reaction.stopped.is_set()

    async def stop(self) -> None:
        """Stop after the current event, and wait for that unless the handler itself calls this."""
        self._reaction.let_end()
        if _telling.get() is not self._reaction:
            await self._threads.run(self._reaction.stop)

    async def caught_up(self, seconds: float) -> bool:
        """Wait until it was told of everything that the log holds now, for at most ``seconds``.

        False once the time is over, and at once if nobody here will do it: it has stopped, or
        another process is at work.
        """
        return await self._threads.run(self._reaction.caught_up, seconds)

    def __repr__(self) -> str:
        return repr(self._reaction)

    async def __aenter__(self) -> AsyncReaction:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
