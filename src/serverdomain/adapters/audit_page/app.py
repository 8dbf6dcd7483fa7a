"""`audit_app`: the audit page over a store, as an ASGI app that only reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from serverdomain.adapters.audit_page.gate import Gate
from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.live import Live
from serverdomain.adapters.audit_page.places import PLACES
from serverdomain.adapters.http.calls.authentication import Authenticate, NoAuthentication
from serverdomain.domain.typed import typed
from serverdomain.servers import Servers
from serverdomain.servers.awaited import AsyncServers

File = str | Path


class AuditApp:
    """The audit page as an ASGI app, to be mounted wherever it is wanted; `audit_app` makes it."""

    def __init__(self, gate: Gate, live: Live) -> None:
        self._gate = gate
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._gate(scope, receive, send)

    def end(self) -> None:
        """End the streams of news, so that a server that waits for its clients can end."""
        self._live.end()

    def beside(self, app: ASGIApp, path: str = "/audit") -> ASGIApp:
        """An app that serves the page below ``path``, and ``app`` everywhere else."""

        async def both(scope: Scope, receive: Receive, send: Send) -> None:
            asked = scope.get("path", "")
            if scope["type"] == "http" and (asked == path or asked.startswith(f"{path}/")):
                await self({**scope, "root_path": scope.get("root_path", "") + path}, receive, send)
            else:
                await app(scope, receive, send)

        return both


@typed
def audit_app(
    servers: Servers | AsyncServers,
    *,
    authenticate: Authenticate | None = None,
    endpoint: str | None = None,
    checkpoint: File | None = None,
    keys: Sequence[File] = (),
) -> AuditApp:
    """The audit page over ``servers``, which stay yours: close them after the app.

    ``authenticate`` says who is looking, as for `compute_app` (everybody on this machine, if none
    is given); whoever is no administrator sees the servers of their own project alone. A browser
    asks for a token as for a password. ``endpoint`` is the root of the links in documents; without
    one it is the scheme and host of the request. ``checkpoint`` is a file that
    `Ledger.checkpoint` wrote, for the ledger's state and for proofs; ``keys`` are those that may
    have signed it. Nothing can be changed through the page.
    """
    blocking = servers.blocking if isinstance(servers, AsyncServers) else servers
    who = NoAuthentication() if authenticate is None else authenticate
    kept = Kept(blocking, endpoint, checkpoint, tuple(keys))
    live = Live(blocking)
    return AuditApp(Gate(who, kept, live, PLACES), live)
