"""What a client sends ahead of its answers: read in small pieces, and no further while one waits.

uvicorn would make requests of all that one read brings, thousands in 256 KiB, and keep each until
the ones before it are answered. Here bytes stay bytes, and few of them: while a request waits for
its turn nothing more is parsed, or taken from the system, which then holds the client back.
"""

from __future__ import annotations

import asyncio
from typing import Any

from serverdomain.adapters.http.serving.protocol import PatientProtocol

MOST_READ = 16 * 1024
"""The most bytes of a connection that are held unparsed."""

PIECE = 1024
"""The most bytes that are parsed at a time, and so 56 requests at most."""


class SentAheadProtocol(PatientProtocol, asyncio.BufferedProtocol):
    """A connection on which requests may be sent ahead."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._buffer = memoryview(bytearray(MOST_READ))
        self._unparsed = b""
        self._sends_no_more = False
        self.heard_at = self.loop.time()
        """When anything last came, by the loop's clock."""

    @property
    def may_make_room(self) -> bool:
        """Whether it is the client's turn: to ask, to send the rest, or to take an answer."""
        return self._is_idle or self._in_body or self.flow.write_paused

    def make_room(self) -> None:
        """Close it for a client who may have more to say."""
        self.transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the transport puts what has come: as much as may be held beside the rest."""
        # Whoever reads a body has the transport read on, whatever is held by then; asyncio wants
        # a byte at least.
        return self._buffer[: max(1, MOST_READ - len(self._unparsed))]

    def buffer_updated(self, nbytes: int) -> None:
        """Parse what has come, as far as it is its turn."""
        self.heard_at = self.loop.time()
        self._unparsed += self._buffer[:nbytes]
        self._read_on()

    def on_response_complete(self) -> None:
        """Go on with what was held back."""
        super().on_response_complete()
        self._read_on()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Stay open for what was sent before."""
        self._sends_no_more = bool(self._unparsed)
        return self._sends_no_more or super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what nobody will be answered."""
        self._unparsed = b""
        super().connection_lost(exc)

    def _read_on(self) -> None:
        while self._unparsed and (self._hears_no_more or not self.pipeline):
            piece, self._unparsed = self._unparsed[:PIECE], self._unparsed[PIECE:]
            self.data_received(piece)
        if self._unparsed:
            self.flow.pause_reading()
        elif self._sends_no_more and not super().eof_received():
            self.transport.close()
