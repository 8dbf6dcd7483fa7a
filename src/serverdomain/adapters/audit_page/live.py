"""News of the log as server-sent events: how far it has come, whenever it has come further.

One task looks for all who listen, as long as anybody does. A stream ends after a minute, and the
browser comes again by itself; so none outlives its server for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from serverdomain.adapters.audit_page.visit import Visit
from serverdomain.adapters.http.calls.answers import CallFault
from serverdomain.servers import Servers
from serverdomain.servers.awaited.threads import Threads

MOST = 64
"""The most streams at a time."""

MOST_SECONDS = 60.0
"""How long a stream lasts."""

LOOK = 0.25
"""Seconds between two looks at the log."""

AGAIN = 1_000
"""Milliseconds after which a browser comes again."""


class Live:
    """The streams of news of a log."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._threads = Threads(1)
        self._listening = 0
        self._is_ending = False

    def end(self) -> None:
        """End all streams at their next look."""
        self._is_ending = True

    async def stream(self, visit: Visit) -> Response:
        """A stream of positions. Raises a 503 where too many listen already."""
        if self._listening >= MOST:
            raise CallFault(503, f"{MOST} pages are kept up to date already")
        return _Stream(self)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count a listener, from before the first byte that it is sent."""
        self._listening += 1
        try:
            yield
        finally:
            self._listening -= 1

    async def news(self) -> AsyncIterator[str]:
        """What one listener is sent."""
        time = asyncio.get_running_loop().time
        until, told = time() + MOST_SECONDS, -1
        yield f"retry: {AGAIN}\n\n"
        while not self._is_ending and time() < until:
            head = await self._threads.run(self._servers.head)
            if head != told:
                yield f"event: head\ndata: {head}\n\n"
                told = head
            await asyncio.sleep(LOOK)


class _Stream(StreamingResponse):
    def __init__(self, live: Live) -> None:
        super().__init__(live.news(), media_type="text/event-stream")
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A hundred who come at once are let in, or not, before any of them is sent anything.
        with self._live.listening():
            await super().__call__(scope, receive, send)
