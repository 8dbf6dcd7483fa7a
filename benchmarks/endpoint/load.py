"""Callers that ask over HTTP, each its next question once the last is answered.

The load generators in Python that can be installed bring a framework that costs more for a request
than the servers measured here; those that are quick are programs, not packages. This one is
asyncio's transport and the parser that the servers use.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import httptools

CALLERS = 8
"""Who ask at a time: enough that the server never waits for one."""


class Load(NamedTuple):
    """What came of it: seconds for all, for each, and how many answers had which status."""

    seconds: float
    each: list[float]
    statuses: Counter[int]


def drive(port: int, requests: Sequence[bytes], callers: int) -> Load:
    """Send every request once, over as many kept connections as there are callers."""
    return asyncio.run(_drive(port, iter(requests), callers))


async def _drive(port: int, requests: Iterator[bytes], callers: int) -> Load:
    loop = asyncio.get_running_loop()
    each: list[float] = []
    statuses: Counter[int] = Counter()
    connected = [
        (
            await loop.create_connection(
                lambda: _Caller(requests, each, statuses), "127.0.0.1", port
            )
        )[1]
        for _ in range(callers)
    ]
    began = time.perf_counter()
    for caller in connected:
        caller.ask()
    await asyncio.gather(*(caller.done for caller in connected))
    return Load(time.perf_counter() - began, each, statuses)


class _Caller(asyncio.Protocol):
    def __init__(
        self, requests: Iterator[bytes], each: list[float], statuses: Counter[int]
    ) -> None:
        self._requests = requests
        self._each = each
        self._statuses = statuses
        self._asked = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)

    def ask(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
        else:
            self._asked = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._each.append(time.perf_counter() - self._asked)
        self._statuses[self._parser.get_status_code()] += 1
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server hung up before it answered"))


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request as bytes; an underscore in a header's name is a dash."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
