"""Who may take a hand in: with tokens administrators alone, on one's own machine everybody."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute, Router
from starlette.types import Message, Receive, Scope, Send

from serverdomain.adapters.http import log
from serverdomain.adapters.http.authentication import Authenticate, not_authenticated
from serverdomain.adapters.http.faults import Fault, fault
from serverdomain.adapters.http.machine import Machine
from serverdomain.adapters.http.request_ids import ID_HEADERS
from serverdomain.errors import ServerdomainError, StoreError
from serverdomain.store.context import new_request_id


class ControlGate:
    """The routes of a control, behind the same authentication as the rest."""

    def __init__(
        self, routes: Sequence[BaseRoute], authenticate: Authenticate, machine: Machine
    ) -> None:
        self._router = Router(routes, redirect_slashes=False, default=_unknown)
        self._authenticate = authenticate
        self._anybody = bool(getattr(authenticate, "anybody_controls", False))
        self._machine = machine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, if its caller may make it."""
        request_id = new_request_id()
        send = _with_id(send, request_id)
        try:
            if not self._machine.started:
                await self._machine.start()
            await self._ask(scope)
            await self._router(scope, receive, send)
        except ClientDisconnect:
            pass
        except Exception as error:
            if isinstance(error, StoreError) or not isinstance(error, Fault | ServerdomainError):
                log.trouble(error, request_id, "control")
            await fault(error)(scope, receive, send)

    async def _ask(self, scope: Scope) -> None:
        params = scope.get("path_params", {})
        scope["path_params"] = {**params, "project": None}
        actor = self._authenticate(Request(scope))
        if inspect.isawaitable(actor):
            actor = await actor
        if actor is None:
            raise not_authenticated()
        if not (self._anybody or actor.is_admin):
            raise Fault(403, f"the roles {list(actor.roles)} came, admin may control")
        scope["path_params"] = params


def _with_id(send: Send, request_id: str) -> Send:
    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            ids = [(name, request_id.encode()) for name in ID_HEADERS]
            message = {**message, "headers": [*message.get("headers", ()), *ids]}
        await send(message)

    return told


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    raise Fault(404, "The resource could not be found.")
