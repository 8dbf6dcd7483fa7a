"""Servers as they were folded, so that nobody folds again what was folded before.

Whoever asks again and again, as clients that wait do, is answered without a row being read, as long
as nothing was committed: that tells the log's mark, whichever process it was. And since nothing in
a log is rewritten, a server goes on from where it was last folded, and only what is new is read.
"""

from __future__ import annotations

from collections.abc import Hashable
from sys import getsizeof
from typing import NamedTuple

from msgspec.structs import replace

from serverdomain.domain.server import Server
from serverdomain.store.log import Log
from serverdomain.store.weighed import Weighed

MOST_BYTES = 32 * 1024 * 1024
"""What the servers weigh that are remembered, at most: once for reading, once for folding."""

_BARE = 2 * 1024
_ITEM = 256


class Remembered:
    """What was folded since the latest commit; shared between threads."""

    def __init__(self, log: Log) -> None:
        self._log = log
        # One value, so that a thread never meets a mark with the servers of another.
        self._kept: tuple[int | None, Weighed[Hashable, Server]] = (None, Weighed(MOST_BYTES))

    def find(self, question: Hashable) -> Server | None:
        """What was kept as the answer, if nothing was committed since; never waits."""
        mark, servers = self._kept
        server = servers.get(question)
        if server is None or self._log.mark() != mark:
            return None
        return own(server)

    def mark(self) -> int | None:
        """What to take before a server is read, to `keep` it with."""
        return self._log.mark()

    def keep(self, question: Hashable, server: Server, mark: int | None) -> None:
        """Remember a server that was read, to answer a question, after ``mark`` was taken."""
        if mark is None:
            return
        kept, servers = self._kept
        if kept != mark:
            servers = Weighed(MOST_BYTES)
            self._kept = (mark, servers)
        servers.put(question, own(server), weight(server))


class Base(NamedTuple):
    """A server, and the row that it was folded up to: of its version, at a position.

    Whether a log has that row is told by the request id of its command.
    """

    server: Server
    position: int
    request_id: str


class Bases(Weighed[str, Base]):
    """From where servers are folded on, by their ids."""

    def __init__(self) -> None:
        super().__init__(MOST_BYTES)

    def keep(self, server: Server, position: int, request_id: str) -> None:
        """Remember a server that was folded up to a row."""
        self.put(server.id, Base(own(server), position, request_id), weight(server))


def own(server: Server) -> Server:
    """A server whose maps are its holder's to change, and not what others are given."""
    return replace(server, metadata=dict(server.metadata), addresses=dict(server.addresses))


def weight(server: Server) -> int:
    """What a server weighs in memory, in bytes, roughly."""
    texts = sum(getsizeof(text) for item in server.metadata.items() for text in item)
    items = len(server.metadata) + sum(map(len, server.addresses.values()))
    return _BARE + _ITEM * items + texts
