"""The hook for those who test a client: what happens before, instead of and after an answer."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, runtime_checkable

from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Scope, Send

from serverdomain.adapters.http.calls.call import Call

Answer = Callable[[], Awaitable[Response]]
"""Gives the response to a call, which has been carried out by then."""

DROP = "serverdomain.drop"
"""The ASGI extension of a server that can close a connection without an answer: a callable."""


class Dropped(Exception):
    """Raised by a control: this call gets no answer at all."""


class Control(Protocol):
    """Stands around every call, and has routes by which it is told what to do.

    It may also be an `EarlyWatcher`.
    """

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What is served below ``/control``."""

    async def around(self, call: Call, answer: Answer, /) -> Response:
        """Give the response to a call: the answer's, or another. May raise `Dropped`."""


@runtime_checkable
class EarlyWatcher(Control, Protocol):
    """A `Control` that is also told of requests that were answered before they became calls.

    So are documents, and what has no route or no known caller.
    """

    def early(self, call: Call, response: Response, /) -> None:
        """Take note of the response to a call that was not admitted."""


async def drop(scope: Scope, send: Send) -> None:
    """Leave a request without an answer, as far as the server can."""
    dropping = scope.get("extensions", {}).get(DROP)
    if callable(dropping):
        done = dropping()
        if inspect.isawaitable(done):
            await done
        return
    # A server that cannot drop a connection closes one whose answer breaks off.
    headers = [(b"content-length", b"1"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
