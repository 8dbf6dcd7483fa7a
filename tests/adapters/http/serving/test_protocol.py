"""Slow, half and hostile requests, on a real socket: each connection ends, and nothing is a 500."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from queue import Queue

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from serverdomain.adapters.http.serving.protocol import MOST_HEAD
from tests.adapters.http.real import SECONDS, connected, serving, until_closed

SHORT = 0.15


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how long the body was; at ``/drop`` nothing, at ``/early`` something before the body."""
    if scope["type"] == "lifespan":
        return
    request = Request(scope, receive)
    response: Response
    if scope["path"] == "/drop":
        scope["extensions"]["serverdomain.drop"]()
        return
    if scope["path"] == "/early":
        response = PlainTextResponse("too much", 413, {"connection": "close"})
    else:
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        for _ in range(50):
            await asyncio.sleep(0)  # As long as a call that waits for something.
        response = PlainTextResponse(f"{len(body)} bytes")
    await response(scope, receive, send)


Address = tuple[str, int]


@pytest.fixture(scope="module")
def patient() -> Iterator[Address]:
    with serving(app) as address:
        yield address


@pytest.fixture(scope="module")
def hasty() -> Iterator[Address]:
    """The same, with hardly any patience."""
    with serving(app, SHORT) as address:
        yield address


def answer_to(data: bytes, address: Address) -> bytes:
    with connected(address) as connection:
        connection.sendall(data)
        return until_closed(connection)


def fault(answer: bytes) -> tuple[int, dict[str, object]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nx-compute-request-id: req-" in head
    assert b"\r\nconnection: close" in head
    ((name, told),) = json.loads(body).items()
    assert told["code"] == int(head.split()[1])
    return told["code"], {name: told["message"]}


@pytest.mark.parametrize("half", [b"G", b"GET /v2.1 HTTP/1.1\r\nHost: x\r\nX-A", b"\r\n\r\n"])
def test_half_a_head_is_closed_after_a_while(half: bytes, hasty: Address) -> None:
    code, told = fault(answer_to(half, hasty))
    assert code == 408
    assert "head did not come" in str(told)


def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(hasty: Address) -> None:
    assert answer_to(b"", hasty) == b""


def test_half_a_head_behind_a_whole_request_is_closed_too(hasty: Address) -> None:
    with connected(hasty) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"0 bytes"):
            answer += connection.recv(65536)
        connection.sendall(b"\r\n")
        assert fault(until_closed(connection))[0] == 408


def test_half_a_body_is_closed_after_a_while(hasty: Address) -> None:
    half = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"
    code, told = fault(answer_to(half, hasty))
    assert code == 408
    assert "body did not come" in str(told)


def test_a_body_that_trickles_in_does_not_buy_time(hasty: Address) -> None:
    with connected(hasty) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
        connection.settimeout(0.01)
        answer = b""
        while not answer:
            connection.sendall(b"x")
            with suppress(TimeoutError):
                answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_reader_who_takes_nothing_is_left() -> None:
    left: Queue[bool] = Queue()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2):
            # The second waits until somebody has read the first, or will never.
            await send({"type": "http.response.body", "body": bytes(20_000_000), "more_body": True})
        left.put((await receive())["type"] == "http.disconnect")

    with serving(endless, SHORT) as address, connected(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert left.get(timeout=SECONDS)
        assert len(until_closed(connection)) < 20_000_000


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
        b"GET /\xff HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v2/\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_400_in_the_documented_envelope(
    nonsense: bytes, patient: Address
) -> None:
    told = fault(answer_to(nonsense, patient))
    assert told == (400, {"badRequest": "This is no HTTP request."})


def test_a_head_without_an_end_is_refused_before_it_is_all_kept(patient: Address) -> None:
    endless = b"GET / HTTP/1.1\r\nX: " + b"a" * (MOST_HEAD + 1)
    code, told = fault(answer_to(endless, patient))
    assert code == 400
    assert str(MOST_HEAD) in str(told)


def test_the_application_can_drop_a_connection_without_a_word(patient: Address) -> None:
    assert answer_to(b"GET /drop HTTP/1.1\r\nHost: x\r\n\r\n", patient) == b""


def test_who_says_that_this_was_all_gets_the_answer(patient: Address) -> None:
    with connected(patient) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
        connection.shutdown(socket.SHUT_WR)
        answer = until_closed(connection)
    assert answer.endswith(b"4 bytes")


def test_an_answer_before_the_body_has_come_can_be_read_by_who_still_sends(
    patient: Address,
) -> None:
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
    answer = answer_to(head + b"x" * 9_000_000, patient)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b"too much")


def test_requests_follow_each_other_on_one_connection(patient: Address) -> None:
    with httpx.Client(base_url="http://{}:{}".format(*patient), verify=False) as client:
        for size in (0, 10, 100_000, 3):
            assert client.post("/", content=b"x" * size).text == f"{size} bytes"


def test_requests_sent_ahead_are_answered_in_their_order(patient: Address) -> None:
    one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = answer_to(one % (1, b"a") + one % (2, b"bb") + last, patient)
    assert answer.index(b"1 bytes") < answer.index(b"2 bytes") < answer.index(b"0 bytes")


@pytest.mark.parametrize("ahead", [1, 3])
@pytest.mark.parametrize(
    "nonsense",
    [b"nonsense\r\n\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)
def test_nonsense_behind_a_request_is_not_taken_for_its_answer(
    ahead: int, nonsense: bytes, patient: Address, caplog: pytest.LogCaptureFixture
) -> None:
    one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
    answer = answer_to(one * ahead + nonsense, patient)
    assert answer.count(b"HTTP/1.1 200 ") == answer.count(b"4 bytes") == ahead
    assert b"HTTP/1.1 400" not in answer
    assert [record for record in caplog.records if record.exc_info] == []


def test_who_leaves_after_nonsense_behind_a_request_still_gets_its_answer(
    patient: Address,
) -> None:
    with connected(patient) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = until_closed(connection)
    assert answer.endswith(b"0 bytes")
