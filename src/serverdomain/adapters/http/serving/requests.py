"""Requests as httptools reads them, but for an offer to upgrade, which is overlooked.

A server that does not switch to the protocol that is offered answers as if nobody had offered it
(RFC 9110, 7.8). httptools takes what follows such a head for the other protocol: so the head is
read a second time, without the offer. Java's HTTP client and ``curl --http2`` make one with every
request.
"""

from __future__ import annotations

from typing import Protocol

import httptools


class Reader(Protocol):
    """Is told of a request, part by part; ``url`` and ``headers`` are what it was told so far."""

    url: bytes
    headers: list[tuple[bytes, bytes]]

    def on_message_begin(self) -> None:
        """A request begins."""

    def on_url(self, url: bytes, /) -> None:
        """A part of its target."""

    def on_header(self, name: bytes, value: bytes, /) -> None:
        """One line of its head."""

    def on_headers_complete(self) -> None:
        """Its head is complete."""

    def on_body(self, body: bytes, /) -> None:
        """A part of its body."""

    def on_message_complete(self) -> None:
        """It is complete."""


class Requests:
    """Reads bytes, and tells a ``reader`` of the requests in them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.on_message_begin = reader.on_message_begin
        self.on_url = reader.on_url
        self.on_header = reader.on_header
        self.on_body = reader.on_body
        self._begin()

    def feed_data(self, data: bytes) -> None:
        """Read on. Raises the errors of httptools."""
        rest = memoryview(data)
        while True:
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                if not self._offers:
                    raise
                head = self._head_without_offer()
                self._begin()
                self._parser.feed_data(head)
                rest = rest[offer.args[0] :]
            else:
                return

    def on_headers_complete(self) -> None:
        """Tell of the head, unless it is read again."""
        if not self._offers:
            self._reader.on_headers_complete()

    def on_message_complete(self) -> None:
        """Tell of the end, unless the head is read again."""
        if not self._offers:
            self._reader.on_message_complete()

    def get_http_version(self) -> str:
        """The version of the request being read."""
        return self._parser.get_http_version()

    def get_method(self) -> bytes:
        """Its method."""
        return self._parser.get_method()

    def should_keep_alive(self) -> bool:
        """Whether its client may ask more on this connection."""
        return self._parser.should_keep_alive()

    def should_upgrade(self) -> bool:
        """Whether to go over to another protocol: never."""
        return False

    def _begin(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        # As uvicorn has it: what comes behind a last request is not for us to judge.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)

    @property
    def _offers(self) -> bool:
        # To httptools CONNECT is an upgrade, too, and one that is not offered but demanded.
        return self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT"

    def _head_without_offer(self) -> bytes:
        version = self._parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self._parser.get_method(), self._reader.url, version)]
        for name, value in self._reader.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                value = b", ".join(one for one in options if one.lower() != b"upgrade")
            lines.append(b"%s: %s" % (name, value))
        return b"\r\n".join([*lines, b"", b""])
