"""Servers as they were folded last, for as long as nothing was committed to the log since.

Whoever asks again and again, as clients that wait do, is answered without a row being read. Whether
anything was committed, by this process or another, SQLite tells without touching the file.
"""

from __future__ import annotations

from serverdomain.domain.server import Server
from serverdomain.store.connections import Connections

MOST = 4096
"""Servers that are remembered, at most."""


class Remembered:
    """What was folded since the latest commit; shared between threads."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        # One value, so that a thread never meets a mark with the servers of another.
        self._kept: tuple[int | None, dict[str, Server]] = (None, {})

    def find(self, server_id: str) -> Server | None:
        """The server, if it is remembered and nothing was committed since; never waits."""
        mark, servers = self._kept
        server = servers.get(server_id)
        return server if server is not None and self._connections.mark() == mark else None

    def mark(self) -> int | None:
        """What to take before a server is read, to `keep` it with."""
        return self._connections.mark()

    def keep(self, server: Server, mark: int | None) -> None:
        """Remember a server that was read after ``mark`` was taken."""
        if mark is None:
            return
        kept, servers = self._kept
        if kept != mark or len(servers) >= MOST:
            servers = {}
            self._kept = (mark, servers)
        servers[server.id] = server
