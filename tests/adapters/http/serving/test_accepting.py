"""Who is let in where places, or descriptors, are few."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
import struct
from collections.abc import Callable

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from serverdomain.adapters.http.serving import accepting
from serverdomain.adapters.http.serving.accepting import Accepting
from serverdomain.adapters.http.serving.sent_ahead import SentAheadProtocol
from serverdomain.adapters.http.serving.server import listen
from tests.adapters.http.real import SECONDS

ASKING = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Door:
    """A listener, and who is let in; what they ask is answered once it ``may`` be."""

    def __init__(self, answer: bytes = b"in", patience: float = SECONDS) -> None:
        self._answer = answer
        self.may = asyncio.Event()
        self.begun = 0
        self.state = ServerState()
        config = uvicorn.Config(self._app, interface="asgi3", log_config=None)
        protocol = type("Protocol", (SentAheadProtocol,), {"seconds": patience})
        self.listener = listen("127.0.0.1", 0)
        self.callers: list[socket.socket] = []
        self.accepting = Accepting(
            self.listener,
            lambda: protocol(config, self.state, {}),
            self.state.connections,
            self.state.tasks,
        )

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun += 1
        await self.may.wait()
        await PlainTextResponse(self._answer)(scope, receive, send)

    async def __aenter__(self) -> Door:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.accepting.stop()
        for one in (self.listener, *self.callers):
            one.close()
        for connection in list(self.state.connections):
            connection.transport.abort()
        await until(lambda: not self.state.connections)

    def caller(self, says: bytes = b"") -> socket.socket:
        caller = socket.create_connection(self.listener.getsockname(), timeout=SECONDS)
        caller.sendall(says)
        caller.setblocking(False)
        self.callers.append(caller)
        return caller


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not what():
            await asyncio.sleep(0.01)


def leave(caller: socket.socket) -> None:
    """Go without waiting for the answer."""
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.close()


async def answer(caller: socket.socket) -> bytes:
    async with asyncio.timeout(SECONDS):
        return await asyncio.get_running_loop().sock_recv(caller, 65536)


def test_where_all_places_are_taken_the_one_who_was_silent_longest_makes_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accepting, "MOST", 2)

    async def run() -> None:
        async with Door() as door:
            door.may.set()
            silent = door.caller()
            await until(lambda: len(door.state.connections) == 1)
            served = door.caller(ASKING)
            assert b"200" in await answer(served)
            newcomer = door.caller(ASKING)
            assert b"200" in await answer(newcomer)
            assert await answer(silent) == b""
            served.sendall(ASKING)
            assert b"200" in await answer(served)
            assert len(door.state.connections) == 2

    asyncio.run(run())
    assert caplog.messages == []


def test_who_is_being_served_makes_room_for_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accepting, "MOST", 2)

    async def run() -> None:
        async with Door() as door:
            callers = [door.caller(ASKING) for _ in range(3)]
            await until(lambda: caplog.messages)
            assert len(door.state.connections) == 2
            door.may.set()
            for caller in callers:
                assert b"200" in await answer(caller)
            await until(lambda: len(caplog.messages) == 2)

    asyncio.run(run())
    assert caplog.messages == [
        "no connection is accepted for now: 2 connections are open, and all at work",
        "connections are accepted again",
    ]


def test_who_keeps_a_call_waiting_for_the_rest_of_a_body_makes_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accepting, "MOST", 2)

    async def run() -> None:
        async with Door() as door:
            slow = []
            for number in range(2):
                slow.append(door.caller(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"))
                await until(lambda asked=number: door.begun > asked)
            newcomer = door.caller(ASKING)
            await until(lambda: door.begun > 2)
            door.may.set()
            assert b"200" in await answer(newcomer)
            assert await answer(slow[0]) == b""

    asyncio.run(run())
    assert caplog.messages == []


def test_a_call_keeps_its_place_when_its_client_has_gone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Or clients who ask and go would pile up calls without an end."""
    monkeypatch.setattr(accepting, "MOST", 2)

    async def run() -> None:
        async with Door() as door:
            for number in range(2):
                caller = door.caller(ASKING)
                await until(lambda asked=number: door.begun > asked)
                leave(caller)
                await until(lambda: not door.state.connections)
            late = door.caller(ASKING)
            await until(lambda: caplog.messages)
            assert (door.begun, len(door.state.connections)) == (2, 0)
            door.may.set()
            assert b"200" in await answer(late)

    asyncio.run(run())
    assert caplog.messages == [
        "no connection is accepted for now: 2 calls are at work",
        "connections are accepted again",
    ]


def test_without_descriptors_it_is_said_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def run() -> None:
        async with Door() as door:
            callers = [door.caller(ASKING) for _ in range(5)]
            door.may.set()
            free = os.dup(0)
            os.close(free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
            try:
                await until(lambda: caplog.messages)
                await asyncio.sleep(2 * accepting.PAUSE)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for caller in callers:
                assert b"200" in await answer(caller)

    asyncio.run(run())
    assert caplog.messages == [
        "no connection is accepted for now: Too many open files",
        "connections are accepted again",
    ]
    assert [record for record in caplog.records if record.exc_info] == []
    assert logging.getLogger("asyncio").name not in {record.name for record in caplog.records}


def test_without_descriptors_who_waits_for_nothing_makes_room(
    caplog: pytest.LogCaptureFixture,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def run() -> None:
        async with Door() as door:
            door.may.set()
            silent = door.caller()
            await until(lambda: door.state.connections)
            newcomer = door.caller(ASKING)
            free = os.dup(0)
            os.close(free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
            try:
                assert await answer(silent) == b""
                assert b"200" in await answer(newcomer)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await until(lambda: len(caplog.messages) == 2)

    asyncio.run(run())
    assert caplog.messages == [
        "no connection is accepted for now: Too many open files",
        "connections are accepted again",
    ]


@pytest.mark.parametrize(("descriptors", "most"), [(600, 300), (5, 2), (1, 1), (2060, 1024)])
def test_half_of_the_descriptors_are_left_to_the_store(descriptors: int, most: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))
    try:
        assert accepting.most() == most
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_small_answer_that_nobody_takes_is_waited_for_only_so_long() -> None:
    async def run() -> None:
        async with Door(b"x" * 50_000, patience=0.15) as door:
            door.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            door.may.set()
            deaf = socket.socket()
            door.callers.append(deaf)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(door.listener.getsockname())
            deaf.sendall(b"GET / HTTP/1.0\r\n\r\n")
            await until(lambda: door.state.total_requests)
            assert door.state.connections
            await until(lambda: not door.state.connections)

    asyncio.run(run())
