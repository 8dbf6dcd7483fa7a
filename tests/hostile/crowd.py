"""Hostile clients, each kind in a thread or two: ``python -m tests.hostile.crowd PORT SERVER``.

They go on until they are killed. ``SERVER`` is a server with a full metadata map, which is theirs.
"""

from __future__ import annotations

import itertools
import json
import random
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

TOKEN = b"X-Auth-Token: hostile\r\n"
KEY = "0" * 255


def connect(port: int, receives: int = 0) -> socket.socket:
    one = socket.socket()
    if receives:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    one.settimeout(5)
    one.connect(("127.0.0.1", port))
    return one


def ask(port: int, method: str, path: str, body: object = None, host: str = "localhost") -> None:
    sent = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n".encode() + TOKEN
    if body is not None:
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(sent)
    with connect(port) as one:
        one.settimeout(60)
        one.sendall(head + b"\r\n" + sent)
        while one.recv(65536):
            pass


def silent(port: int, server: str) -> None:
    """Opens connections and says nothing."""
    held = [connect(port) for _ in range(150)]
    time.sleep(5)
    for one in held:
        one.close()


def trickling_heads(port: int, server: str) -> None:
    """Sends a head a byte at a time."""
    held = [connect(port) for _ in range(50)]
    for byte in b"GET / HTTP/1.1\r\nX-Long: abcdefghijklm":
        for one in held:
            with suppress(OSError):
                one.send(bytes([byte]))
        time.sleep(0.2)


def trickling_bodies(port: int, server: str) -> None:
    """Announces a body, and sends it a byte at a time."""
    held = [connect(port) for _ in range(50)]
    for one in held:
        one.sendall(
            b"POST /v2.1/servers HTTP/1.1\r\nHost: localhost\r\n"
            + TOKEN
            + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
        )
    for _ in range(40):
        for one in held:
            with suppress(OSError):
                one.send(b" ")
        time.sleep(0.2)


def deaf(port: int, server: str) -> None:
    """Sends thousands of requests ahead and reads nothing."""
    held = [connect(port, receives=2048) for _ in range(20)]
    for one in held:
        one.setblocking(False)
        with suppress(OSError):
            one.send(b"GET /openapi.json HTTP/1.1\r\n\r\n" * 35_000)
    time.sleep(5)


def nonsense(port: int, server: str) -> None:
    """Sends what is no HTTP, and heads and bodies that are too large."""
    for data in (random.randbytes(2000), b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000):
        with connect(port) as one:
            one.sendall(data)
            while one.recv(65536):
                pass
    ask(port, "POST", "/v2.1/servers", {"server": {"name": "x" * 300_000}})


_numbers = itertools.count()


def hosts(port: int, server: str) -> None:
    """Asks for one large server under ever another host."""
    ask(port, "GET", f"/v2.1/servers/{server}", host=f"h{next(_numbers)}.example")


def growing(port: int, server: str) -> None:
    """Changes one item of a full metadata map, so that the log grows by the whole."""
    ask(
        port,
        "PUT",
        f"/v2.1/servers/{server}/metadata/{KEY}",
        {"meta": {KEY: str(next(_numbers))}},
    )


def refused(port: int, server: str) -> None:
    """Asks for what is refused."""
    ask(port, "POST", f"/v2.1/servers/{server}/action", {"os-start": None})


def listing(port: int, server: str) -> None:
    """Lists all, in detail, and what was ever asked of one."""
    ask(port, "GET", "/v2.1/servers/detail")
    ask(port, "GET", f"/v2.1/servers/{server}/os-instance-actions")


KINDS: dict[Callable[[int, str], None], int] = {
    silent: 2,
    trickling_heads: 1,
    trickling_bodies: 1,
    deaf: 1,
    nonsense: 1,
    hosts: 1,
    growing: 2,
    refused: 1,
    listing: 1,
}
"""Each kind, and how many of them there are."""


def main(port: int, server: str) -> None:
    def again(kind: Callable[[int, str], None]) -> None:
        while True:
            with suppress(OSError):
                kind(port, server)
            time.sleep(0.05)

    for kind, count in KINDS.items():
        for _ in range(count):
            Thread(target=again, args=(kind,), daemon=True).start()
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
