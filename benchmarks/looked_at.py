"""The audit page over a store of its own, asked in this process: what a browser waits for."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from urllib.parse import urlencode

import httpx

from benchmarks.filling import written
from benchmarks.long import cycles_of
from benchmarks.measure import Round
from benchmarks.rival import server_id
from serverdomain import Servers
from serverdomain.adapters.audit_page import audit_app
from serverdomain.adapters.http import NoAuthentication

_STEPS = 40


class Looked:
    """One who looks; a round is the milliseconds that a page took."""

    name = "serverdomain"

    def __init__(self, servers: int, events: int, folder: Path) -> None:
        self._servers = Servers.open(folder / "page.db")
        written(self._servers, range(servers), cycles_of(events))
        self._servers.view.catch_up()
        self._runner = asyncio.Runner()
        self._client = self._new()

    def _new(self) -> httpx.AsyncClient:
        app = audit_app(self._servers, authenticate=NoAuthentication(admin=True))
        transport = httpx.ASGITransport(app)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def _seconds(self, place: str, **asked: object) -> float:
        began = time.perf_counter()
        answer = self._runner.run(self._client.get(f"/{place}?{urlencode(asked)}"))
        seconds = time.perf_counter() - began
        answer.raise_for_status()
        return seconds

    def close(self) -> None:
        """Let go of the store."""
        self._runner.close()
        self._servers.close()


class Opened(Looked):
    """A server's page, of which nothing is kept yet."""

    def ask(self, number: int) -> Round:
        """The page."""
        self._client = self._new()
        seconds = self._seconds("server", id=server_id(0))
        return Round(seconds * 1e3, [seconds])


class Scrubbed(Looked):
    """Steps of the slider of a page that is open."""

    def ask(self, number: int) -> Round:
        """So many steps; the slowest is told."""
        self._seconds("server", id=server_id(0))
        head = self._servers.head()
        rows = range(number + 1, head, max(head // _STEPS, 1))
        each = [self._seconds("moment", id=server_id(0), head=head, row=row) for row in rows]
        return Round(max(each) * 1e3, each)


class Paged(Looked):
    """Pages of the fleet's table, in some order, from its beginning to its end."""

    def ask(self, number: int) -> Round:
        """So many pages; the slowest is told."""
        size = len(self._servers) // 50 or 1
        pages = sorted({1, size // 2 or 1, size})
        sorts = ("created:desc", "name", "updated:desc")
        each = [
            self._seconds("", page=page, sort=sort, name="n") for page in pages for sort in sorts
        ]
        return Round(max(each) * 1e3, each)
