"""Requests that are sent ahead: few are made of them, all are answered, in their order."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from serverdomain.adapters.http.serving.protocol import MOST_HEAD
from serverdomain.adapters.http.serving.sent_ahead import MOST_READ, PIECE, SentAheadProtocol
from tests.adapters.http.real import SECONDS

REQUEST = b"GET /%d HTTP/1.1\r\n\r\n"

Play = Callable[[SentAheadProtocol, socket.socket, asyncio.Event], Awaitable[None]]


def connection(play: Play) -> None:
    """A connection to an app that reads a body and answers, once it may, with the path."""

    async def run() -> None:
        may_answer, loop = asyncio.Event(), asyncio.get_running_loop()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await may_answer.wait()
            if scope["method"] == "POST":
                await Request(scope, receive).body()
                for _ in range(3):
                    await asyncio.sleep(0)  # As a call does that waits for something.
            await PlainTextResponse(scope["path"])(scope, receive, send)

        config, state = uvicorn.Config(app, interface="asgi3", log_config=None), ServerState()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        ours.setblocking(False)
        with theirs:
            transport, protocol = await loop.connect_accepted_socket(
                lambda: SentAheadProtocol(config, state, {}), ours
            )
            async with asyncio.timeout(SECONDS):
                await play(protocol, theirs, may_answer)
            transport.abort()
            await asyncio.sleep(0)

    asyncio.run(run())


async def all_of(answers: socket.socket, last: bytes) -> bytes:
    loop, found = asyncio.get_running_loop(), b""
    while last not in found:
        part = await loop.sock_recv(answers, 65536)
        assert part
        found += part
    return found


async def some_turns() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


def test_few_requests_are_made_of_what_a_client_sends_ahead_and_few_bytes_are_held() -> None:
    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        sent = 0
        while True:
            try:
                sent += client.send(b"GET / HTTP/1.1\r\n\r\n" * 10_000)
            except BlockingIOError:
                await some_turns()
                try:
                    client.send(b"\r\n")
                except BlockingIOError:
                    break  # The system takes no more: we are held back.
        assert sent > 10 * MOST_READ
        assert len(protocol._unparsed) <= MOST_READ
        assert len(protocol.pipeline) <= PIECE // len(b"GET / HTTP/1.1\r\n\r\n")

    connection(play)


def test_few_bytes_are_held_of_who_sends_on_while_body_after_body_is_read() -> None:
    number, one = 2_000, b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"

    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        sending = asyncio.ensure_future(loop.sock_sendall(client, one * number))
        may_answer.set()
        answered = 0
        while answered < number:
            answered += (await loop.sock_recv(client, 4096)).count(b"200 OK")
            assert len(protocol._unparsed) <= MOST_READ + PIECE
        await sending

    connection(play)


def test_all_are_answered_in_their_order_however_they_are_cut() -> None:
    requests = b"".join(REQUEST % number for number in range(3000))

    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        sending = asyncio.ensure_future(asyncio.get_running_loop().sock_sendall(client, requests))
        await some_turns()
        may_answer.set()
        answers = await all_of(client, b"/2999")
        await sending
        places = [answers.index(b"/%d" % number) for number in range(0, 3000, 7)]
        assert answers.count(b"HTTP/1.1 200 OK") == 3000
        assert places == sorted(places)

    connection(play)


def test_after_an_answer_the_client_is_still_held_back() -> None:
    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        client.send(b"".join(REQUEST % number for number in range(600)))
        await some_turns()
        may_answer.set()
        await all_of(client, b"/0")
        may_answer.clear()
        await some_turns()
        assert protocol._unparsed
        assert protocol.pipeline
        assert not protocol.transport.is_reading()

    connection(play)


def test_who_says_that_this_was_all_is_answered_all() -> None:
    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        client.send(b"".join(REQUEST % number for number in range(400)))
        client.shutdown(socket.SHUT_WR)
        await some_turns()
        may_answer.set()
        answers = await all_of(client, b"/399")
        assert answers.count(b"HTTP/1.1 200 OK") == 400
        head, _, last = answers.rpartition(b"HTTP/1.1 200 OK")
        assert b"connection: close" not in head
        assert b"\r\nconnection: close\r\n" in last
        assert await asyncio.get_running_loop().sock_recv(client, 1) == b""

    connection(play)


def test_who_says_so_while_a_body_is_read_is_answered_all_as_well() -> None:
    number, one = 100, b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"

    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        client.send(one * number)
        client.shutdown(socket.SHUT_WR)
        may_answer.set()
        loop, answers = asyncio.get_running_loop(), b""
        while part := await loop.sock_recv(client, 65536):
            answers += part
        assert answers.count(b"HTTP/1.1 200 OK") == number

    connection(play)


@pytest.mark.parametrize(
    "behind",
    [b"", b"GET / HT", b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"],
    ids=["nothing", "half a head", "half a body"],
)
@pytest.mark.parametrize(
    "asked", [REQUEST % 1, b"POST /1 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"], ids=["GET", "POST"]
)
def test_the_only_answer_to_who_said_that_this_was_all_is_the_last(
    asked: bytes, behind: bytes
) -> None:
    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        client.send(asked + behind)
        client.shutdown(socket.SHUT_WR)
        await some_turns()
        may_answer.set()
        # What its head says of that depends on whether the end was seen before.
        assert (await all_of(client, b"/1")).startswith(b"HTTP/1.1 200 ")
        assert await asyncio.get_running_loop().sock_recv(client, 1) == b""

    connection(play)


def test_who_says_so_in_the_middle_of_a_body_is_not_waited_for() -> None:
    whole = b"POST /1 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
    half = b"POST /2 HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + b"x" * 3000

    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        client.send(whole + half)
        client.shutdown(socket.SHUT_WR)
        may_answer.set()
        assert (await all_of(client, b"/1")).startswith(b"HTTP/1.1 200 ")
        assert await asyncio.get_running_loop().sock_recv(client, 65536) == b""

    connection(play)


def test_it_says_so_where_the_end_was_seen_before() -> None:
    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        client.send(REQUEST % 1)
        client.shutdown(socket.SHUT_WR)
        await some_turns()
        may_answer.set()
        assert b"\r\nconnection: close\r\n" in await all_of(client, b"/1")

    connection(play)


@pytest.mark.parametrize("number", [0, 1])
def test_each_head_may_be_so_long_and_not_a_byte_longer(number: int) -> None:
    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        may_answer.set()
        for before in range(number):
            protocol.data_received(REQUEST % before)
            await all_of(client, b"/%d" % before)
        protocol.data_received((b"GET / HTTP/1.1\r\nX: ").ljust(MOST_HEAD, b"a"))
        assert not protocol.transport.is_closing()
        assert not protocol._hears_no_more
        protocol.data_received(b"a")
        assert b"HTTP/1.1 400 " in await all_of(client, b"bytes came")

    connection(play)


def test_what_is_wrong_in_two_ways_is_refused_once() -> None:
    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        protocol.data_received((b"GET / HTTP/1.1\r\nX: ").ljust(MOST_HEAD, b"a"))
        protocol.data_received(b"\0")
        client.shutdown(socket.SHUT_WR)
        answer = await all_of(client, b"}}")
        assert await asyncio.get_running_loop().sock_recv(client, 65536) == b""
        assert answer.count(b"HTTP/1.1 400 ") == 1

    connection(play)


@pytest.mark.parametrize(
    ("before", "beside"), [(b"", b"2;"), (b"2\r\n{}", b"\r\n0\r\nX: ")], ids=["before", "behind"]
)
def test_what_surrounds_a_body_may_be_so_long_and_not_a_byte_longer(
    before: bytes, beside: bytes
) -> None:
    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        protocol.data_received(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + before)
        protocol.data_received(beside.ljust(MOST_HEAD, b"a"))
        assert not protocol._hears_no_more
        protocol.data_received(b"a")
        assert b"HTTP/1.1 400 " in await all_of(client, b"none of it")

    connection(play)


def test_who_goes_away_is_not_read_on() -> None:
    async def play(
        protocol: SentAheadProtocol, client: socket.socket, may_answer: asyncio.Event
    ) -> None:
        client.send(b"".join(REQUEST % number for number in range(400)))
        await some_turns()
        assert protocol._unparsed
        protocol.transport.abort()
        await some_turns()
        assert not protocol._unparsed

    connection(play)
