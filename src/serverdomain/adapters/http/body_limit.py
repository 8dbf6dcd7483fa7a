"""A request's body, whole, but no more of it than 112 KiB."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from serverdomain.adapters.http.faults import Fault

MOST = 112 * 1024
"""Bytes that a body may have, as Nova's limit is."""


def ask_announced(announced: str | None) -> None:
    """Ask that a ``Content-Length``, if one came, is within the limit."""
    if announced is not None and announced.isdecimal() and int(announced[:20]) > MOST:
        raise _too_long(f"{announced[:20]} bytes were announced")


async def read_body(receive: Receive, announced: str | None) -> bytes:
    """The body. A longer one is 413 as soon as it is known to be, before the rest is read.

    Raises `ClientDisconnect` where the client went away.
    """
    ask_announced(announced)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > MOST:
            raise _too_long(f"more than {MOST} bytes came")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_long(what: str) -> Fault:
    # What is left unread must not be taken for the next request.
    return Fault(413, f"body: {what}, at most {MOST} are allowed", connection="close")
