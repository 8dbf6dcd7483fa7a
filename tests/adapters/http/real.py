"""The endpoint on a real port, in a thread of the test's process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from serverdomain.adapters.http.serving.server import listen, served

SECONDS = 20


@contextmanager
def serving(app: ASGIApp, patience: float = SECONDS) -> Iterator[tuple[str, int]]:
    """The address on which an app is served."""
    listener = listen("127.0.0.1", 0)
    address: tuple[str, int] = listener.getsockname()
    with served(app, listener, patience=patience):
        yield address


@contextmanager
def connected(address: tuple[str, int]) -> Iterator[socket.socket]:
    """A connection of one's own, for what no HTTP client would send."""
    with socket.create_connection(address, timeout=SECONDS) as connection:
        yield connection


def until_closed(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
