"""Servers as they were folded, now or as of a moment, for as long as nothing was committed since.

Whoever asks again and again, as clients that wait do, is answered without a row being read. Whether
anything was committed, by this process or another, the log's mark tells.
"""

from __future__ import annotations

from collections.abc import Hashable

from msgspec.structs import replace

from serverdomain.domain.server import Server
from serverdomain.store.log import Log

MOST = 4096
"""Servers that are remembered, at most."""


class Remembered:
    """What was folded since the latest commit; shared between threads."""

    def __init__(self, log: Log) -> None:
        self._log = log
        # One value, so that a thread never meets a mark with the servers of another.
        self._kept: tuple[int | None, dict[Hashable, Server]] = (None, {})

    def find(self, question: Hashable) -> Server | None:
        """What was kept as the answer, if nothing was committed since; never waits."""
        mark, servers = self._kept
        server = servers.get(question)
        if server is None or self._log.mark() != mark:
            return None
        return _own(server)

    def mark(self) -> int | None:
        """What to take before a server is read, to `keep` it with."""
        return self._log.mark()

    def keep(self, question: Hashable, server: Server, mark: int | None) -> None:
        """Remember a server that was read, to answer a question, after ``mark`` was taken."""
        if mark is None:
            return
        kept, servers = self._kept
        if kept != mark or len(servers) >= MOST:
            servers = {}
            self._kept = (mark, servers)
        servers[question] = _own(server)


def _own(server: Server) -> Server:
    # Its maps are its holder's to change, and must not change what others are given.
    return replace(server, metadata=dict(server.metadata), addresses=dict(server.addresses))
