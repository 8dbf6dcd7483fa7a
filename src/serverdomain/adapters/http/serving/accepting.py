"""Who is let in: so many connections, and none while the process is out of descriptors.

asyncio's own way in tries again at once, as often as the backlog is long, and logs a traceback each
time. Here a listener that cannot accept is left alone until a connection ends, or for a second; it
is said once that nobody is let in, and once that somebody is. Where all places are taken, the
connection that has kept the server waiting the longest makes room.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
from collections.abc import Callable, Collection
from operator import attrgetter
from typing import Any

from serverdomain.adapters.http.serving.sent_ahead import SentAheadProtocol

MOST = 1024
"""The most connections, and calls, at a time; fewer where the process may have few descriptors."""

PAUSE = 0.25
"""Seconds until a listener that could not accept is looked at again."""

_OUT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_AT_ONCE = 64
_log = logging.getLogger("serverdomain.http")


def most() -> int:
    """The most connections here: half of the descriptors stay for the store and its views."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft // 2))


class Accepting:
    """Accepts the connections of a listener, each with a protocol that ``make`` makes.

    ``connections`` are those that are open, ``calls`` those at work: where a client goes, its call
    stays. For the event loop.
    """

    def __init__(
        self,
        listener: socket.socket,
        make: Callable[[], SentAheadProtocol],
        connections: Collection[Any],
        calls: Collection[Any],
    ) -> None:
        self._listener = listener
        self._make = make
        self._connections = connections
        self._calls = calls
        self._loop = asyncio.get_running_loop()
        self._most = most()
        self._opening: set[asyncio.Task[Any]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._is_paused = False
        listener.setblocking(False)
        self._loop.add_reader(listener, self._accept)

    def stop(self) -> None:
        """Let nobody in any more."""
        self._loop.remove_reader(self._listener)
        if self._again is not None:
            self._again.cancel()

    def _accept(self) -> None:
        if len(self._calls) >= self._most > len(self._connections):
            self._pause(f"{self._most} calls are at work")
            return
        # Not all that wait at once: those who are in must have their turn, too.
        for turn in range(_AT_ONCE):
            if len(self._connections) + len(self._opening) >= self._most:
                if turn:
                    # Whether anybody is left to make room for, the loop tells.
                    self._say_again()
                    return
                if not self._made_room():
                    self._pause(f"{self._most} connections are open, and all at work")
                    return
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                self._say_again()
                return
            except OSError as error:
                if error.errno in _OUT:
                    self._made_room()
                self._pause(str(error.strerror))
                return
            task = self._loop.create_task(self._open(connection))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError:
            connection.close()  # It has gone again.

    def _made_room(self) -> bool:
        """Whether a connection was closed for a new one: one that waits for its client."""
        waiting = [one for one in self._connections if one.may_make_room]
        if waiting:
            min(waiting, key=attrgetter("heard_at")).make_room()
        return bool(waiting)

    def _pause(self, why: str) -> None:
        if not self._is_paused:
            _log.warning("no connection is accepted for now: %s", why)
        self._is_paused = True
        self._loop.remove_reader(self._listener)
        self._again = self._loop.call_later(PAUSE, self._go_on)

    def _say_again(self) -> None:
        if self._is_paused:
            _log.warning("connections are accepted again")
        self._is_paused = False

    def _go_on(self) -> None:
        self._loop.add_reader(self._listener, self._accept)
        self._accept()
