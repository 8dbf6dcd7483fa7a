"""Slow, half and hostile requests, on a real socket: each connection ends, and nothing is a 500."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from queue import Queue

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serverdomain.adapters.http.serving import protocol
from serverdomain.adapters.http.serving.protocol import MOST_HEAD
from serverdomain.adapters.http.serving.server import listen, served
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
        response = PlainTextResponse("too much", 413)
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


def answer_to(data: bytes, address: Address) -> bytes:
    with connected(address) as connection:
        connection.sendall(data)
        return until_closed(connection)


@contextmanager
def hasty(data: bytes) -> Iterator[socket.socket]:
    """A connection to one with hardly any patience, where data was before it looked.

    So nobody is late, however busy the machine is.
    """
    listener = listen("127.0.0.1", 0)
    with connected(listener.getsockname()) as connection:
        connection.sendall(data)
        with served(app, listener, patience=SHORT):
            yield connection


def hasty_answer_to(data: bytes) -> bytes:
    with hasty(data) as connection:
        return until_closed(connection)


def until(end: bytes, connection: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(end):
        part = connection.recv(65536)
        assert part, answer
        answer += part
    return answer


def fault(answer: bytes) -> tuple[int, dict[str, object]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nx-compute-request-id: req-" in head
    assert b"\r\nconnection: close" in head
    ((name, told),) = json.loads(body).items()
    assert told["code"] == int(head.split()[1])
    return told["code"], {name: told["message"]}


@pytest.mark.parametrize("half", [b"G", b"GET /v2.1 HTTP/1.1\r\nHost: x\r\nX-A", b"\r\n\r\n"])
def test_half_a_head_is_closed_after_a_while(half: bytes) -> None:
    code, told = fault(hasty_answer_to(half))
    assert code == 408
    assert "head did not come" in str(told)


def test_a_connection_on_which_nothing_comes_is_closed_without_a_word() -> None:
    assert hasty_answer_to(b"") == b""


def test_half_a_head_behind_a_whole_request_is_closed_too() -> None:
    with hasty(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        until(b"0 bytes", connection)
        connection.sendall(b"\r\n")
        assert fault(until_closed(connection))[0] == 408


def test_half_a_body_is_closed_after_a_while() -> None:
    half = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"
    code, told = fault(hasty_answer_to(half))
    assert code == 408
    assert "body did not come" in str(told)


def busy(may: asyncio.Event) -> ASGIApp:
    """The app, which answers to others once it was asked for ``/now``."""

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        if scope["path"] == "/now":
            may.set()
        else:
            await may.wait()
        await app(scope, receive, send)

    return busy


def test_a_body_is_not_late_while_the_application_does_not_read_it() -> None:
    with serving(busy(asyncio.Event()), SHORT) as address, connected(address) as connection:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"
        connection.sendall(head + b"x" * 100_000)
        for _ in range(3):  # So often its patience ends meanwhile.
            assert fault(answer_to(b"G", address))[0] == 408
        assert b"0 bytes" in answer_to(b"GET /now HTTP/1.0\r\n\r\n", address)
        # Now it is the client who is late.
        code, told = fault(until_closed(connection))
    assert code == 408
    assert "body did not come" in str(told)


def test_a_head_is_not_late_while_the_request_before_it_is_answered() -> None:
    with serving(busy(asyncio.Event()), SHORT) as address, connected(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
        for _ in range(3):  # So often its patience ends meanwhile.
            assert fault(answer_to(b"G", address))[0] == 408
        assert b"0 bytes" in answer_to(b"GET /now HTTP/1.0\r\n\r\n", address)
        assert b" 200 " in until(b"0 bytes", connection)
        connection.sendall(b"TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert until_closed(connection).endswith(b"0 bytes")


def test_who_is_late_while_the_answer_has_begun_is_left() -> None:
    async def hasty(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    with serving(hasty, SHORT) as address:
        answer = answer_to(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf", address)
    assert b"begun" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_the_application_is_told_at_once_that_a_body_will_never_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "LINGER", 3_600)
    told: Queue[str] = Queue()

    async def reader(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            while (message := await receive())["type"] != "http.disconnect":
                pass
            told.put(message["type"])

    with serving(reader, SHORT) as address, connected(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
        assert told.get(timeout=SECONDS) == "http.disconnect"
        connection.shutdown(socket.SHUT_WR)
        assert fault(until_closed(connection))[0] == 408


@pytest.mark.parametrize(
    "said",
    [b"", b"GET / HT", b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"],
    ids=["nothing", "half a head", "half a body"],
)
def test_who_leaves_in_the_middle_is_left_without_a_word(
    said: bytes, patient: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with connected(patient) as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        assert until_closed(connection) == b""
    assert caplog.messages == []


def test_a_body_that_trickles_in_does_not_buy_time() -> None:
    with hasty(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n") as connection:
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


def test_who_still_sends_a_head_without_an_end_can_read_why_it_is_refused(
    patient: Address,
) -> None:
    endless = b"GET / HTTP/1.1\r\nX: " + b"a" * 9_000_000
    assert fault(answer_to(endless, patient))[0] == 400


@pytest.mark.parametrize("more", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["one", "two"])
def test_the_application_can_drop_a_connection_without_a_word(
    more: bytes, patient: Address, caplog: pytest.LogCaptureFixture
) -> None:
    assert answer_to(b"GET /drop HTTP/1.1\r\nHost: x\r\n\r\n" + more, patient) == b""
    assert caplog.messages == []


@pytest.mark.parametrize(
    "behind",
    [b"", b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"],
    ids=["nothing", "a request", "half a request"],
)
def test_a_stream_is_told_that_its_reader_has_gone_whatever_was_sent_behind_it(
    behind: bytes,
) -> None:
    told: Queue[str] = Queue()

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()
        gone = asyncio.ensure_future(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": b"news", "more_body": True})
            await asyncio.sleep(0.001)
        told.put(gone.result()["type"])

    with serving(stream) as address, connected(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n" + behind)
        assert connection.recv(1)
        connection.close()
        assert told.get(timeout=SECONDS) == "http.disconnect"


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
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"too much")


def test_an_answer_before_the_body_has_come_says_that_it_is_the_last(patient: Address) -> None:
    one = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
    with connected(patient) as connection:
        connection.sendall(one % b"/" + b"body")
        assert b"connection: close" not in until(b"4 bytes", connection)
        connection.sendall(one % b"/early")
        assert b"connection: close" in until(b"too much", connection)
        # The body and the next request come too late: nothing is answered, and nothing in the way.
        connection.sendall(b"body" + one % b"/" + b"body")
        assert until_closed(connection) == b""


def test_one_whose_body_comes_while_the_server_ends_is_answered_as_the_last() -> None:
    ending = ExitStack()
    address = ending.enter_context(serving(app))
    with connected(address) as connection, ThreadPoolExecutor(1) as pool:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo")
        # Another is answered, so the half has come.
        assert b"0 bytes" in answer_to(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", address)
        ended = pool.submit(ending.close)
        with suppress(OSError):
            while True:  # Until it listens no more.
                socket.create_connection(address, timeout=SECONDS).close()
        connection.sendall(b"dy")
        answer = until_closed(connection)
        ended.result(SECONDS)
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"4 bytes")


OFFER = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
)


@pytest.mark.parametrize("offer", [OFFER, b"Upgrade: websocket\r\nConnection: upgrade\r\n"])
@pytest.mark.parametrize("cuts", [(), (60,), (90, 91, 200), range(1, 400, 7)])
def test_an_offer_to_upgrade_is_overlooked_and_the_body_stays_a_body(
    cuts: Sequence[int], offer: bytes, patient: Address
) -> None:
    body = b"a body that is none of another protocol"
    head = b"POST / HTTP/1.1\r\nHost: x\r\n%s" % offer
    chunked = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
    sent = (
        head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        head + chunked,
        b"GET / HTTP/1.1\r\nHost: x\r\n%s\r\n" % offer,
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close, te, Upgrade\r\nUpgrade: h2c\r\n\r\n",
    )
    with connected(patient) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        whole = b"".join(sent)
        for start, end in pairwise([0, *cuts, len(whole)]):
            connection.sendall(whole[start:end])
        answer = until_closed(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200"] * 4
    assert re.findall(rb"(\d+) bytes", answer) == [b"39", b"6", b"0", b"0"]
    assert b"101" not in answer


def test_an_offer_does_not_hide_what_is_no_http(patient: Address) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\n%sContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
    assert fault(answer_to(head % OFFER, patient))[0] == 400
    assert fault(answer_to(b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", patient))[0] == 400


LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "behind", [b"\r\n", LAST, b"nonsense\r\n\r\n"], ids=["", "one", "nonsense"]
)
def test_what_comes_behind_a_last_request_is_not_answered(behind: bytes, patient: Address) -> None:
    answer = answer_to(LAST + behind, patient)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.endswith(b"0 bytes")


def test_a_request_behind_a_last_one_is_not_called_nonsense(
    patient: Address, caplog: pytest.LogCaptureFixture
) -> None:
    assert answer_to(LAST + LAST, patient).endswith(b"0 bytes")
    assert caplog.messages == []


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
    assert answer.count(b"\r\nconnection: close\r\n") == 1
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


async def fields(scope: Scope, receive: Receive, send: Send) -> None:
    """Says which fields came, once the body has."""
    if scope["type"] == "lifespan":
        return
    await Request(scope, receive).body()
    names = [name.decode() for name, _ in scope["headers"]]
    await PlainTextResponse(" ".join(names))(scope, receive, send)


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"


def test_fields_behind_a_body_are_none_of_its_head() -> None:
    with serving(fields) as address, connected(address) as connection:
        connection.sendall(CHUNKED + b"X-Auth-Token: theirs\r\nOrigin: evil\r\n\r\n")
        assert until(b"transfer-encoding", connection).endswith(b"\r\n\r\nhost transfer-encoding")
        connection.sendall(b"GET / HTTP/1.0\r\nX-A: b\r\n\r\n")
        assert until_closed(connection).endswith(b"\r\n\r\nx-a")


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(CHUNKED + b"A: b\r\n" * 20_000, id="many fields behind it"),
        pytest.param(CHUNKED + b"A: " + b"b" * 100_000, id="a long one"),
        pytest.param(CHUNKED[:-3] + b"1;" + b"x" * 100_000, id="an extension of a chunk"),
    ],
)
def test_what_surrounds_a_body_without_an_end_is_refused_before_it_is_all_kept(
    patient: Address, beside: bytes
) -> None:
    code, told = fault(answer_to(beside, patient))
    assert (code, "none of it" in str(told)) == (400, True)


def test_much_may_surround_a_body_if_it_is_little_at_a_time(patient: Address) -> None:
    with connected(patient) as connection:
        for _ in range(2):
            connection.sendall(CHUNKED[:-10] + b"1;%b\r\nx\r\n" % (b"x" * 500) * 300 + b"0\r\n\r\n")
            assert b"300 bytes" in until(b"bytes", connection)


def test_who_speaks_1_0_is_told_of_nothing_before_the_answer(patient: Address) -> None:
    for version, told in ((b"1.0", 0), (b"1.1", 1)):
        head = b"POST / HTTP/%b\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
        answer = answer_to(head % version + b"Content-Length: 2\r\n\r\n{}", patient)
        assert answer.count(b" 100 Continue") == told
        assert answer.endswith(b"2 bytes")
