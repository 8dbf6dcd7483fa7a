"""uvicorn's HTTP protocol with limited patience, for half a head, half a body, a deaf reader.

What comes in has to come within a time, and what goes out has to be taken within one, or the
connection is closed; so nobody holds a connection, or the server's end, for ever. Beside it the
application may close a connection without a word (the ASGI extension ``serverdomain.drop``), and
what is no HTTP is answered in the documented fault envelope.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from serverdomain.adapters.http.calls.answers import envelope
from serverdomain.adapters.http.calls.control import DROP
from serverdomain.adapters.http.serving.requests import Requests
from serverdomain.adapters.http.serving.untaken import leave_some
from serverdomain.store.context import new_request_id

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

_log = logging.getLogger("serverdomain.http")

SECONDS = 20.0
"""How long a head may take, and a body, and a reader to take what it is sent."""

LINGER = 2.0
"""Seconds in which whatever a client still sends is discarded, so that it can read its answer."""

MOST_HEAD = 64 * 1024
"""The most bytes that a head may have, path included, and what surrounds a body: its trailers.

httptools itself sets no limit.
"""


class PatientProtocol(HttpToolsProtocol):
    """A connection; ``seconds`` is how long it waits for each of a head, a body and a reader."""

    seconds = SECONDS

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # What uvicorn logs appears among the other lines, and in their form.
        self.logger = _log
        self.parser = Requests(self)  # type: ignore[assignment]
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._head = 0
        self._in_body = False
        self._keeps_alive = False
        self._lingers = False
        self._deaf = False
        self._answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        # Even a small answer that is not taken is waited for only so long, also by a closed
        # connection: asyncio would keep it until the client goes.
        transport.set_write_buffer_limits(high=0)
        self._wait(self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        self._give_no_answer()
        self.resume_writing()
        # Of one that broke uvicorn would keep the timer, and so all of it for a while.
        super().connection_lost(None)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the data belongs to a request."""
        if self._hears_no_more:
            return
        self._head += len(data)
        super().data_received(data)
        if self._hears_no_more:
            return
        if self._in_body:
            if self._reading is None:
                self._wait(self._body_is_late)
                self.cycle.transport = cast("asyncio.Transport", _Outgoing(self))
            if self._head > MOST_HEAD:
                self._give_up(400, f"body: more than {MOST_HEAD} bytes came that are none of it")
        elif self._head > MOST_HEAD:
            self._refuse(400, f"head: more than {MOST_HEAD} bytes came")
        elif self._is_idle and self._reading is None:
            # A head has begun, or what only looks like one: uvicorn no longer waits for its end.
            self._wait(self._head_is_late)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Stay open for an answer that is still to come."""
        # A client that sends no more still gets the answer to what it asked.
        answering = self._asked_whole
        if answering is None:
            return False
        self._hear_no_more(answering)
        return True

    def on_message_begin(self) -> None:
        """Offer the extension to the application."""
        super().on_message_begin()
        self.scope["extensions"] = {DROP: cast("dict[object, object]", self._drop)}

    def on_headers_complete(self) -> None:
        """Wait for the body; who is answered before it has come is told that this was all."""
        self._stop_waiting()
        self._head = 0
        self._in_body = True
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # Who speaks 1.0 takes a 100 for the answer.
        super().on_headers_complete()
        # What comes behind the body in the form of fields is none of this head's.
        self.headers = []
        # The unread rest of a body must not be taken for the next request.
        self._keeps_alive, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop waiting: it is our turn."""
        self._stop_waiting()
        self._head = 0
        self._in_body = False
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keeps_alive
        super().on_message_complete()

    def shutdown(self) -> None:
        """End once the request that came, or is coming, is answered."""
        self._keeps_alive = False
        super().shutdown()

    def pause_writing(self) -> None:
        """Start waiting for the reader."""
        super().pause_writing()
        self._writing = self.loop.call_later(self.seconds, self.transport.abort)
        leave_some(cast("set[PatientProtocol]", self.connections))

    def resume_writing(self) -> None:
        """Stop waiting for the reader."""
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the documented envelope."""
        self._refuse(400, "This is no HTTP request.")

    def linger(self) -> None:
        """Close, but read on for a while: otherwise the system would discard the answer, too."""
        if not self._in_body:
            self.transport.close()
            return
        self._lingers = True
        self._unset_keepalive_if_required()
        self._stop_waiting()
        self.transport.write_eof()
        self.flow.resume_reading()
        self._reading = self.loop.call_later(LINGER, self.transport.close)

    @property
    def left_at(self) -> float | None:
        """When a reader who takes nothing is left; ``None`` where nothing waits to be taken."""
        return None if self._writing is None else self._writing.when()

    @property
    def _hears_no_more(self) -> bool:
        return self._lingers or self._deaf

    @property
    def _is_idle(self) -> bool:
        # It is None before the first request, despite its annotation.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    @property
    def _asked_whole(self) -> RequestResponseCycle | None:
        # The request that is being answered, if all of it has come.
        one = self._answering
        if one is None or one.response_complete or (self._in_body and one is self.cycle):
            return None
        return one

    def _wait(self, late: Any) -> None:
        self._reading = self.loop.call_later(self.seconds, late)

    def _stop_waiting(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _head_is_late(self) -> None:
        if self._head:
            self._refuse(408, f"The head did not come within {self.seconds:g} seconds.")
        else:
            self.transport.close()

    def _body_is_late(self) -> None:
        if self.flow.read_paused:
            # It is the application that is not reading.
            self._wait(self._body_is_late)
        else:
            self._give_up(408, f"The body did not come within {self.seconds:g} seconds.")

    def _give_up(self, status: int, message: str) -> None:
        if self.cycle.response_started:
            self.transport.abort()
        else:
            self._refuse(status, message)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle

        async def once_taken(scope: Any, receive: Any, send: Any) -> None:
            # No other answer is made while one waits for its reader.
            await self.flow.drain()
            if not cycle.disconnected:
                await app(scope, receive, send)

        super()._start_asgi_task(cycle, once_taken if self.flow.write_paused else app)

    def _refuse(self, status: int, message: str) -> None:
        answering = self._asked_whole
        if answering is not None:
            self._hear_no_more(answering)
            return
        body = envelope(status, message).body
        request_id = new_request_id().encode()
        self.transport.write(
            b"%scontent-type: application/json\r\ncontent-length: %d\r\n"
            b"x-compute-request-id: %s\r\nx-openstack-request-id: %s\r\n"
            b"connection: close\r\n\r\n%s"
            % (STATUS_LINE[status], len(body), request_id, request_id, body)
        )
        self._give_no_answer()
        self._in_body = True
        self.linger()

    def _hear_no_more(self, answering: RequestResponseCycle) -> None:
        """Answer the earlier request, then close: a refusal would be taken for its answer."""
        self._deaf = True
        self._stop_waiting()
        if self._in_body:
            self._in_body = False
            self.pipeline.popleft()
        self.cycle = self.pipeline[0][0] if self.pipeline else answering
        self.cycle.keep_alive = False

    def _give_no_answer(self) -> None:
        # Not to the last request, as uvicorn has it, but to the one that is at work.
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()

    def _drop(self) -> None:
        self._give_no_answer()
        self.transport.abort()


class _Outgoing:
    """What an answer is written to while its request is still coming in."""

    def __init__(self, protocol: PatientProtocol) -> None:
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing
        self.close = protocol.linger
