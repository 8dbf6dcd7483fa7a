"""The notification bus, live: at least once, and acknowledged after the commit.

What is told again after an interruption is in the log already, under its own request id.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import uuid4

from serverdomain.adapters.incoming.message import PassedOver, Read
from serverdomain.adapters.incoming.parts import LARGEST
from serverdomain.adapters.incoming.rejects import Rejects
from serverdomain.adapters.incoming.taking import MOST_BYTES, Counts, Taker
from serverdomain.errors import ExtraMissing, InvalidInput, StoreError
from serverdomain.store.real_time import monotonic

MOST_AHEAD = 500
"""Messages that the bus hands out before one of them is acknowledged."""

_IDLE = 0.5  # Seconds without a message after which what came is written.
_SCHEMES = ("amqp", "amqps", "memory")
# Not what came: it may hold a password.
_ALLOWED = "amqp://user:password@host:5672/vhost is allowed"


class Bus:
    """A queue bound to the topic that Nova tells its notifications on.

    One of its ``own`` gets copies of what comes, and takes nothing from others.
    """

    def __init__(
        self, url: str, *, exchange: str, topic: str, queue: str, own: bool = False
    ) -> None:
        if url.partition(":")[0] not in _SCHEMES:
            raise InvalidInput("URL", _ALLOWED)
        try:
            kombu: Any = import_module("kombu")  # Nothing of it is typed.
        except ModuleNotFoundError as missing:
            raise ExtraMissing("following a bus", missing.name, "bus") from None
        try:
            self._connection: Any = kombu.Connection(url, heartbeat=10, connect_timeout=10)
        except ValueError:
            raise InvalidInput("URL", _ALLOWED) from None
        self._exchange: Any = kombu.Exchange(exchange, type="topic", durable=False)
        name = f"{queue}-{uuid4()}" if own else queue
        kept = {"durable": not own, "exclusive": own, "auto_delete": own}
        self._queue: Any = kombu.Queue(name, self._exchange, routing_key=f"{topic}.*", **kept)
        self._unacknowledged: list[Any] = []
        self._bytes = 0

    def follow(
        self,
        read: Read,
        taker: Taker,
        rejects: Rejects,
        seconds: float | None = None,
        told: Callable[[Counts], None] = lambda _: None,
    ) -> None:
        """Take in what comes, for so many seconds or for ever.

        Goes on where the connection is lost. ``told`` is called after each commit. Raises
        `StoreError` where the bus cannot be reached or refuses what is asked, and what a store
        raises.
        """
        end = None if seconds is None else monotonic() + seconds
        try:
            self._follow(read, taker, rejects, end, told)
        finally:
            self._connection.release()

    def _follow(
        self,
        read: Read,
        taker: Taker,
        rejects: Rejects,
        end: float | None,
        told: Callable[[Counts], None],
    ) -> None:
        lost = (*self._connection.recoverable_connection_errors, socket.error)
        attempts: int | None = 2
        while end is None or monotonic() < end:
            try:
                self._connection.ensure_connection(
                    max_retries=attempts, interval_start=0.1, interval_step=0.5, interval_max=10
                )
            except Exception as error:
                raise StoreError(f"the bus cannot be reached: {error}") from None
            attempts = None  # One that was there comes back.
            try:
                self._declare()
                self._consume(read, taker, rejects, end, told)
            except TimeoutError:
                continue
            except lost:
                # Whatever was not acknowledged comes again.
                self._forget()
                self._connection.close()
            except self._connection.channel_errors as error:
                raise StoreError(f"the bus refuses: {error}") from None

    def _declare(self) -> None:
        """Make what is not there. What is there stays as whoever made it had it kept."""
        for declare in (self._exchange.declare, self._queue.queue_declare):
            try:
                with self._connection.channel() as channel:
                    declare(passive=True, channel=channel)
            except self._connection.channel_errors:
                with self._connection.channel() as channel:
                    declare(channel=channel)
        with self._connection.channel() as channel:
            self._queue.queue_bind(channel=channel)

    def _consume(
        self,
        read: Read,
        taker: Taker,
        rejects: Rejects,
        end: float | None,
        told: Callable[[Counts], None],
    ) -> None:
        def take(message: Any) -> None:
            take_one(read, taker, rejects, message.body)
            self._unacknowledged.append(message)
            self._bytes += len(message.body)

        with self._connection.channel() as channel:
            consumer = self._connection.Consumer(
                self._queue,
                channel=channel,
                auto_declare=False,
                on_message=take,
                prefetch_count=MOST_AHEAD,
            )
            with consumer:
                while end is None or monotonic() < end:
                    try:
                        left = _IDLE if end is None else min(_IDLE, max(end - monotonic(), 0.01))
                        self._connection.drain_events(timeout=left)
                        if len(self._unacknowledged) < MOST_AHEAD and self._bytes < MOST_BYTES:
                            continue
                    except TimeoutError:
                        self._connection.heartbeat_check()
                    self._commit(taker, rejects, told)
                self._commit(taker, rejects, told)

    def _commit(self, taker: Taker, rejects: Rejects, told: Callable[[Counts], None]) -> None:
        if not self._unacknowledged:
            return
        taker.write()
        rejects.keep()
        for message in self._unacknowledged:
            message.ack()
        self._forget()
        told(taker.counts)

    def _forget(self) -> None:
        self._unacknowledged.clear()
        self._bytes = 0


def take_one(read: Read, taker: Taker, rejects: Rejects, body: bytes | str) -> None:
    """Take in one message of the bus, whatever it holds."""
    raw = body.encode() if isinstance(body, str) else bytes(body)
    try:
        if len(raw) > LARGEST:
            raise InvalidInput("message", f"is larger than {LARGEST} bytes")
        for one in read(raw):
            if isinstance(one, PassedOver):
                taker.counts.pass_over(one.type)
            else:
                taker.take(one, "bus", raw)
    except InvalidInput as error:
        taker.counts.rejected += 1
        rejects.take("bus", raw, str(error))
