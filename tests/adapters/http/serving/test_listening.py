"""The socket that the endpoint listens on."""

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from serverdomain.adapters.http.serving.server import listen
from tests.adapters.http.real import SECONDS

MOST_WAIT = Path("/proc/sys/net/core/somaxconn")


def test_an_answer_in_two_parts_does_not_wait_for_the_first_to_be_acknowledged() -> None:
    async def delays() -> int:
        accepted: asyncio.Future[socket.socket] = asyncio.get_running_loop().create_future()

        async def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set_result(writer.get_extra_info("socket"))
            await reader.read()
            writer.close()

        listener = listen("127.0.0.1", 0)
        async with await asyncio.start_server(called, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            no_delay = (await accepted).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            await writer.wait_closed()
        return no_delay

    assert asyncio.run(delays())


def test_it_listens_on_an_address_of_either_family() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.family == socket.AF_INET
    if not has_ipv6():
        pytest.skip("nobody can listen on ::1 here")
    with listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_hundreds_may_come_at_once_and_wait_to_be_let_in() -> None:
    many = 300
    if MOST_WAIT.exists() and int(MOST_WAIT.read_text("ascii")) < many:
        pytest.skip("this system lets fewer wait")
    with listen("127.0.0.1", 0) as listener, ExitStack() as callers:
        for _ in range(many):
            one = socket.create_connection(listener.getsockname(), timeout=SECONDS)
            callers.enter_context(one)
