"""An application is served until a signal ends it, and says why where it could not begin."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from serverdomain.adapters.http.serving.server import listen, serve, served
from tests.adapters.http.real import SECONDS, connected, serving, until_closed

Address = tuple[str, int]

ASKING = b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class App:
    """Answers; at ``/held`` once it ``may``, at ``/cancelled`` not at all."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        if scope["path"] == "/cancelled":
            raise asyncio.CancelledError
        if scope["path"] == "/held":
            self.begun.set()
            await self.may.wait()
        await PlainTextResponse("here")(scope, receive, send)


def asked(address: Address, path: bytes = b"") -> bytes:
    with connected(address) as connection:
        connection.sendall(ASKING % path)
        return until_closed(connection)


def say(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def played(app: ASGIApp, play: Callable[[Address], bytes], **named: Any) -> bytes:
    """Serve in this thread while another one plays a client that ends it by a signal."""
    listener = listen("127.0.0.1", 0)
    address: Address = listener.getsockname()
    begun: list[Future[bytes]] = []

    def client() -> bytes:
        try:
            return play(address)
        except BaseException:
            say(signal.SIGINT)
            raise

    with ThreadPoolExecutor(1) as pool:
        try:
            serve(app, listener, ready=lambda: begun.append(pool.submit(client)), **named)
        finally:
            gc.unfreeze()
    assert listener.fileno() == -1, "nobody waits at a door that nobody opens"
    (found,) = begun
    return found.result()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("tells", [True, False])
def test_calls_are_answered_until_a_signal_ends_it(number: signal.Signals, tells: bool) -> None:
    ended: list[str] = []

    def play(address: Address) -> bytes:
        answer = asked(address)
        say(number)
        return answer

    named = {"ending": lambda: ended.append("ended")} if tells else {}
    assert played(App(), play, **named).endswith(b"here")
    assert ended == ["ended"] * tells


def test_a_hangup_is_told_each_time_and_ends_nothing() -> None:
    told = threading.Semaphore(0)

    def play(address: Address) -> bytes:
        for _ in range(2):
            say(signal.SIGHUP)
            assert told.acquire(timeout=SECONDS)
        answer = asked(address)
        say(signal.SIGTERM)
        return answer

    assert played(App(), play, hangup=told.release).endswith(b"here")


def test_a_hangup_that_nobody_wants_to_know_of_ends_nothing() -> None:
    def play(address: Address) -> bytes:
        say(signal.SIGHUP)
        answer = asked(address)
        say(signal.SIGTERM)
        return answer

    assert played(App(), play).endswith(b"here")


def test_who_is_being_served_as_a_signal_comes_is_answered() -> None:
    app = App()

    def play(address: Address) -> bytes:
        with connected(address) as connection:
            connection.sendall(ASKING % b"held")
            assert app.begun.wait(SECONDS)
            say(signal.SIGTERM)
            return until_closed(connection)

    answer = played(app, play, ending=app.may.set)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"here")


def test_a_second_signal_waits_for_nobody(caplog: pytest.LogCaptureFixture) -> None:
    app, ending = App(), threading.Semaphore(0)

    def play(address: Address) -> bytes:
        with connected(address) as connection:
            connection.sendall(ASKING % b"held")
            assert app.begun.wait(SECONDS)
            for _ in range(2):
                say(signal.SIGTERM)
                assert ending.acquire(timeout=SECONDS)
            return until_closed(connection)

    assert b"here" not in played(app, play, ending=ending.release)
    assert [record for record in caplog.records if record.exc_info] == []


def test_who_is_slow_has_as_much_patience_as_was_asked_for() -> None:
    def play(address: Address) -> bytes:
        with connected(address) as connection:
            connection.sendall(b"G")
            answer = until_closed(connection)
        say(signal.SIGTERM)
        return answer

    assert b"within 0.1 seconds" in played(App(), play, patience=0.1)


def test_who_is_served_longer_than_the_end_may_take_is_left_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, listener = App(), listen("127.0.0.1", 0)
    with connected(listener.getsockname()) as connection:
        with served(app, listener, last_seconds=0):
            connection.sendall(ASKING % b"held")
            assert app.begun.wait(SECONDS)
        assert b"here" not in until_closed(connection)
    assert listener.fileno() == -1
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_call_that_is_cancelled_while_nothing_ends_is_told_and_a_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving(App()) as address:
        assert asked(address, b"cancelled").startswith(b"HTTP/1.1 500 ")
    (record,) = (record for record in caplog.records if record.exc_info)
    assert record.name == "serverdomain.http"


@asynccontextmanager
async def fails(_: Starlette) -> AsyncIterator[None]:
    raise ValueError("there is no log")
    yield


async def will_not(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed"})


@pytest.mark.parametrize(
    ("app", "why"),
    [
        (Starlette(lifespan=fails), ValueError("there is no log")),
        (will_not, RuntimeError("the app did not start")),
    ],
)
def test_what_keeps_an_app_from_starting_is_raised(
    app: ASGIApp,
    why: Exception,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with listen("127.0.0.1", 0) as listener:
        try:
            with pytest.raises(type(why), match=f"^{why}$"):
                serve(app, listener, ready=lambda: pytest.fail("it is not ready"))
        finally:
            gc.unfreeze()
    assert caplog.messages == []
    assert capfd.readouterr().err == "", "who raises says it once"


def test_neither_its_software_nor_its_calls_are_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before = logging.getLogger("uvicorn").handlers[:]
    with serving(App()) as address:
        answer = asked(address).lower()
    assert answer.endswith(b"here")
    assert b"\r\nserver:" not in answer
    assert "uvicorn.access" not in {record.name for record in caplog.records}
    assert logging.getLogger("uvicorn").handlers == before


def test_two_are_served_side_by_side_each_at_its_own_address_alone() -> None:
    with serving(App()) as one, serving(App()) as other:
        assert one != other
        assert asked(one).endswith(b"here")
        assert asked(other).endswith(b"here")


def test_its_patience_goes_by_real_time_whatever_a_test_made_of_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 7.0)
    with serving(App(), 0.1) as address, connected(address) as connection:
        connection.sendall(b"G")
        assert b" 408 " in until_closed(connection)
