"""The way of a visit: only GET, a known caller, a place, and a page whatever happens.

Every answer forbids a browser to run, load or frame anything that is not the page's own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from time import perf_counter

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from serverdomain.adapters.audit_page import static
from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.live import Live
from serverdomain.adapters.audit_page.page import mishap, status_of
from serverdomain.adapters.audit_page.places import Place
from serverdomain.adapters.audit_page.visit import Visit
from serverdomain.adapters.http import log
from serverdomain.adapters.http.calls.answers import CallFault, is_trouble
from serverdomain.adapters.http.calls.authentication import Authenticate, Guard, caller
from serverdomain.adapters.http.calls.head import require_single
from serverdomain.errors import NotFound, StoreError
from serverdomain.servers.awaited.threads import Threads
from serverdomain.store.context import new_request_id

MOST = 8
"""The most pages that are made at a time; further ones wait for their turn."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""What keeps a browser from doing anything but showing a page."""


class Gate:
    """Lets a caller in and shows the place that was asked for."""

    def __init__(
        self, who: Authenticate, kept: Kept, live: Live, places: Mapping[str, Place]
    ) -> None:
        self._who = who
        self._guard = who.guard if isinstance(who, Guard) else None
        self._kept = kept
        self._live = live
        self._places = places
        self._threads = Threads(MOST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        began, request_id = perf_counter(), new_request_id()
        try:
            response = await self._response(scope)
        except Exception as error:
            if is_trouble(error):
                log.trouble(error, request_id, "audit")
            response = _mishap(error)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # What a page shows is for who asked for it, and changes.
        response.headers.setdefault("cache-control", "no-store")
        response.headers["x-openstack-request-id"] = request_id
        if scope["method"] == "HEAD":
            response = Response(None, response.status_code, dict(response.headers))
        log.visited(scope, response.status_code, perf_counter() - began, request_id)
        with suppress(ClientDisconnect):
            await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            raise CallFault(405, f"{scope['method']} came, GET is allowed", allow="GET, HEAD")
        require_single(scope["headers"])
        asked = HTTPConnection(scope)
        place = _place(scope)
        if place is None:
            # So that the links of the page, which are relative, lead below it.
            query = f"?{asked.url.query}" if asked.url.query else ""
            return RedirectResponse(f"{scope.get('root_path', '')}/{query}", 307)
        if place.startswith("static/"):
            if self._guard is not None:
                self._guard(asked.headers)
            return static.file(place.removeprefix("static/"))
        actor = await caller(self._who, _with_token(scope), None)
        visit = Visit(actor, place, asked.query_params, f"{asked.url.scheme}://{asked.url.netloc}")
        if place == "news":
            return await self._live.stream(visit)
        show = self._places.get(place)
        if show is None:
            raise NotFound(f"there is no page {place}")
        return await self._threads.run(partial(show, self._kept, visit))


def _place(scope: Scope) -> str | None:
    """The place below the one where the page is mounted; ``None`` for the mount itself."""
    path, root = scope["path"], scope.get("root_path", "")
    below = path.removeprefix(root) if path.startswith(root) else path
    return below.removeprefix("/") if below else None


def _with_token(scope: Scope) -> Scope:
    """The request with the token that a browser was given as a password, where it has one."""
    given = HTTPConnection(scope).headers.get("authorization", "")
    kind, _, encoded = given.partition(" ")
    if kind.lower() != "basic" or "x-auth-token" in HTTPConnection(scope).headers:
        return {**scope}
    try:
        token = base64.b64decode(encoded, validate=True).partition(b":")[2]
    except ValueError:  # It is no Base64, or no ASCII.
        return {**scope}
    return {**scope, "headers": [*scope["headers"], (b"x-auth-token", token)]}


def _mishap(error: Exception) -> Response:
    if isinstance(error, CallFault) and error.status == 401:
        asks = {"www-authenticate": 'Basic realm="serverdomain: the password is your token"'}
        says = "Sign in with your token as the password. The user name does not matter."
        return mishap(401, says, asks)
    if isinstance(error, StoreError):
        return mishap(503, "The store cannot be read now. The log of this server says why.")
    status = status_of(error)
    if status == 500:
        return mishap(500, "Something went wrong. The log of this server says where.")
    headers = dict(getattr(error, "headers", {}))
    return mishap(status, str(error), headers)
