"""An ASGI application on a port: in this process until a signal ends it, or in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from serverdomain.adapters.http.serving.accepting import Accepting
from serverdomain.adapters.http.serving.protocol import SECONDS
from serverdomain.adapters.http.serving.sent_ahead import SentAheadProtocol
from serverdomain.store.real_time import monotonic

LAST_SECONDS = 30
"""How long requests in flight may take once the server is ending."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on a port; 0 is any free port. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    # asyncio sends answers without Nagle's delay (40 ms to a kept connection) only where a socket
    # says that it is TCP's, which one made by `create_server` does not.
    return socket.socket(family, listener.type, socket.IPPROTO_TCP, fileno=listener.detach())


def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    ready: Callable[[], None],
    hangup: Callable[[], None] | None = None,
    ending: Callable[[], None] | None = None,
    patience: float = SECONDS,
) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are answered, a second signal ends at once.

    What keeps the app from starting is raised. ``ready`` is called when calls are answered,
    ``hangup`` at every SIGHUP, ``ending`` when a signal ends it; ``patience`` is how many seconds
    a slow client has (see `SECONDS`). For the main thread.
    """
    server = _Server(app, ready, patience)

    def end() -> None:
        server.end()
        if ending is not None:
            ending()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        loop.add_signal_handler(signal.SIGHUP, hangup or (lambda: None))
        # What is loaded by now stays to the end: to look through it for garbage again and again
        # took a fifth of a call.
        gc.collect()
        gc.freeze()
        await server.serve([listener])

    asyncio.run(run())


@contextmanager
def served(
    app: ASGIApp,
    listener: socket.socket,
    *,
    patience: float = SECONDS,
    last_seconds: int = LAST_SECONDS,
) -> Iterator[None]:
    """Serve in a thread as long as the context lasts; calls are answered when it is entered.

    Requests in flight at its end have ``last_seconds``. Raises `RuntimeError` where the app did not
    start.
    """
    answers = Event()
    server = _Server(app, answers.set, patience, last_seconds)
    thread = Thread(
        target=lambda: asyncio.run(server.serve([listener])), name="endpoint", daemon=True
    )
    thread.start()
    while not answers.wait(0.05):
        if not thread.is_alive():
            raise RuntimeError("the app did not start; its log says why")
    try:
        yield
    finally:
        server.end()
        thread.join()


class _Server(uvicorn.Server):
    """uvicorn's server, without its own handling of signals, which ends the process."""

    def __init__(
        self,
        app: ASGIApp,
        ready: Callable[[], None],
        patience: float,
        last_seconds: int = LAST_SECONDS,
    ) -> None:
        self._failure: Exception | None = None
        self._protocol: type[SentAheadProtocol] = type(
            "Protocol", (SentAheadProtocol,), {"seconds": patience}
        )
        super().__init__(
            uvicorn.Config(
                self._watched(app),
                interface="asgi3",
                loop="asyncio",
                http=self._protocol,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=last_seconds,
            )
        )
        self._ready = ready
        self._accepting: Accepting | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # The loop's timers go by real time, whatever time a test around it has frozen or patched.
        setattr(asyncio.get_running_loop(), "time", monotonic)  # noqa: B010
        # uvicorn would print a traceback and end the process.
        self.lifespan.logger = logging.Logger("silent", logging.CRITICAL)
        try:
            await super().startup([])
        except SystemExit:
            raise self._failure or RuntimeError("the app did not start") from None
        assert sockets is not None
        state = self.server_state
        self._accepting = Accepting(sockets[0], self._made, state.connections, state.tasks)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._accepting is not None:
            self._accepting.stop()
        await super().shutdown(sockets)
        # A connection that lingers would outlive the loop, with a warning of its own.
        for connection in list(self.server_state.connections):
            connection.transport.close()
        await asyncio.sleep(0)

    def _made(self) -> SentAheadProtocol:
        return self._protocol(self.config, self.server_state, self.lifespan.state)

    def end(self) -> None:
        """End once the requests in flight are answered; a second call ends at once."""
        self.force_exit = self.should_exit
        self.should_exit = True

    def _watched(self, app: ASGIApp) -> ASGIApp:
        """The app; why it did not start is kept."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:
                if not self.should_exit:
                    raise
                # We are ending: nothing has failed that should be logged.
            except Exception as error:
                if scope["type"] == "lifespan":
                    self._failure = error
                raise

        return watched

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
