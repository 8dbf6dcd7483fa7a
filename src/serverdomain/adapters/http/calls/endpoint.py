"""The way of a request: its path, its caller, its admission, and its route's answer.

Commands are awaited; what else may wait for the store runs in a thread; documents wait for nothing.
Whatever is raised on the way becomes the fault envelope: no exception reaches the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from serverdomain.adapters.http import log
from serverdomain.adapters.http.calls import min_position
from serverdomain.adapters.http.calls.admission import SERVED, admit
from serverdomain.adapters.http.calls.answers import NOWHERE, CallFault, answer, fault, is_trouble
from serverdomain.adapters.http.calls.authentication import (
    Authenticate,
    Guard,
    OpensControl,
    caller,
)
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.adapters.http.calls.control import Control, Dropped, EarlyWatcher, drop
from serverdomain.adapters.http.calls.head import require_single
from serverdomain.adapters.http.calls.machine import Machine
from serverdomain.adapters.http.calls.route import (
    UNKNOWN_ACTION,
    Document,
    Here,
    Route,
    Table,
    wants_page,
)

ID_HEADERS = (b"x-compute-request-id", b"x-openstack-request-id")
"""The headers of every answer that bear the call's own id."""

_VERSION_HEADERS = (
    (b"openstack-api-version", f"compute {SERVED}".encode()),
    (b"x-openstack-nova-api-version", SERVED.encode()),
    (b"vary", b"OpenStack-API-Version, X-OpenStack-Nova-API-Version"),
)
"""What every answer on `/v2.1` says."""


@dataclass(eq=False, repr=False)
class Endpoint:
    """Answers every request but those to ``/control``.

    ``documents`` are served to everybody, by their path; ``root`` is where links begin, if that is
    not the request's to say.
    """

    cloud: Cloud
    table: Table
    documents: Mapping[str, Document]
    authenticate: Authenticate
    root: str | None
    control: Control | None
    machine: Machine

    def __post_init__(self) -> None:
        self.root = None if self.root is None else self.root.rstrip("/")
        self._guard = self.authenticate.guard if isinstance(self.authenticate, Guard) else None
        self._early = self.control.early if isinstance(self.control, EarlyWatcher) else None
        self._reads_alone = self.cloud.servers.read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        started = perf_counter()
        call = Call(scope)
        status = None
        try:
            response = _complete(call, await self._response(call, receive))
            status = response.status_code
            if not call.admitted and self._early is not None:
                self._early(call, response)
            await response(scope, receive, send)
        except ClientDisconnect:
            pass
        except Dropped:
            await drop(scope, send)
        except asyncio.CancelledError:
            # The server is ending, and waits for this call no longer.
            if status is None:
                status = 503
                await _complete(call, fault(_ending(call)))(scope, receive, send)
            raise
        finally:
            log.answered(call, status, perf_counter() - started)

    async def _response(self, call: Call, receive: Receive) -> Response:
        try:
            if self._reads_alone and not call.is_read:
                raise CallFault(403, f"{call.method} came, the store is served to be read alone")
            if call.repeats:
                require_single(call.scope["headers"])
            segments = call.segments
            if segments is None:
                raise CallFault(400, "Malformed request URL: its path is no UTF-8")
            if len(segments) < 2:
                return self._document(call, segments[0] if segments else "")
            resource = self.table.find(segments)
            if resource is None:
                raise CallFault(404, NOWHERE)
            call.api, call.project, call.server_id, call.item, methods = resource
            choices = methods.get("GET" if call.is_read else call.method)
            if choices is None:
                raise _not_allowed(call, methods)
            call.route = choices[None].name if None in choices else UNKNOWN_ACTION
            if not self.machine.started:
                await self.machine.start()
            actor = await caller(self.authenticate, call.scope, call.project)
            route = await admit(call, receive, choices, actor, self.root)
            if self.control is None:
                return await self._answer(call, route)
            return await self.control.around(call, lambda: self._answer(call, route))
        except (ClientDisconnect, Dropped):
            raise
        except Exception as error:
            return _refusal(call, error)

    def _document(self, call: Call, path: str) -> Response:
        if self._guard is not None:
            self._guard(call.sent_headers)
        document = self.documents.get(path)
        if document is None:
            raise CallFault(404, NOWHERE)
        call.route, call.api = document.name, document.api
        if not call.is_read:
            raise _not_allowed(call, ["GET"])
        root = call.root() if self.root is None else self.root
        accept = call.sent_headers.get("accept", "")
        if document.show is not None and (document.write is None or wants_page(accept)):
            who = self.authenticate
            needs_token = not (isinstance(who, OpensControl) and who.anybody_controls)
            return document.show(Here(root, self.control is not None, needs_token))
        assert document.write is not None
        written = answer(document.write(root))
        if document.show is not None:
            written.headers["vary"] = "Accept"
        return written

    async def _answer(self, call: Call, route: Route | Exception) -> Response:
        try:
            if isinstance(route, Exception):
                return _refusal(call, route)
            if min_position.NAME in call.query and call.is_read:
                await min_position.wait(self.cloud, call)
            if route.at_once is not None and (known := route.at_once(self.cloud, call)) is not None:
                return known
            handler: Any = route.handler
            if route.waits is not None:
                return await self.cloud.threads[route.waits].run(handler, self.cloud, call)
            return await handler(self.cloud, call)  # type: ignore[no-any-return]
        except Exception as error:
            return _refusal(call, error)


def _complete(call: Call, response: Response) -> Response:
    """The answer with what every answer has: the call's id and, on `/v2.1`, the version."""
    named = call.request_id.encode()
    response.raw_headers.extend((name, named) for name in ID_HEADERS)
    if call.api == "v2.1":
        response.raw_headers.extend(_VERSION_HEADERS)
    if call.method == "HEAD":
        response.body = b""
    return response


def _refusal(call: Call, error: Exception) -> Response:
    """The answer to an error on the way, which is also logged."""
    if is_trouble(error):
        log.trouble(error, call.request_id, call.route)
    elif call.admitted and not call.is_read:
        log.refused(call, error)
    return fault(error, key_sent=call.key_sent)


def _not_allowed(call: Call, methods: Iterable[str]) -> CallFault:
    allowed = ", ".join(methods)
    return CallFault(405, f"{call.method} came, {allowed} is allowed", allow=allowed)


def _ending(call: Call) -> CallFault:
    how = "under its Idempotency-Key" if call.key_sent else "best under an Idempotency-Key"
    what = "" if call.is_read else f", {how}: whether it happened is unknown"
    return CallFault(503, f"The server ends: repeat the call{what}.")
