"""Who may use ``/control``: administrators, or everybody where the hook opens it to all."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serverdomain.adapters.http import log
from serverdomain.adapters.http.calls.answers import NOWHERE, CallFault, fault, is_trouble
from serverdomain.adapters.http.calls.authentication import Authenticate, OpensControl, caller
from serverdomain.adapters.http.calls.endpoint import ID_HEADERS
from serverdomain.adapters.http.calls.head import require_single
from serverdomain.adapters.http.calls.machine import Machine
from serverdomain.store.context import new_request_id


class ControlGate:
    """The routes of a control, behind the same authentication as the rest."""

    def __init__(
        self, routes: Sequence[BaseRoute], authenticate: Authenticate, machine: Machine
    ) -> None:
        self._router = Router(routes, redirect_slashes=False, default=_unknown)
        self._authenticate = authenticate
        self._anybody = isinstance(authenticate, OpensControl) and authenticate.anybody_controls
        self._machine = machine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, if its caller may make it."""
        request_id = new_request_id()
        send = _with_id(send, request_id)
        try:
            require_single(scope["headers"])
            if not self._machine.started:
                await self._machine.start()
            await self._require_may(scope)
            await self._router(scope, receive, send)
        except ClientDisconnect:
            pass
        except Exception as error:
            if is_trouble(error):
                log.trouble(error, request_id, "control")
            await fault(error)(scope, receive, send)

    async def _require_may(self, scope: Scope) -> None:
        params = scope.get("path_params", {})
        actor = await caller(self._authenticate, scope, None)
        if not (self._anybody or actor.is_admin):
            raise CallFault(403, f"the roles {list(actor.roles)} came, admin may control")
        scope["path_params"] = params


class Entrance:
    """The way in at a path itself, which a mount there does not serve."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        self._path = path
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as the mount serves its first path."""
        mounted = scope.get("root_path", "") + self._path
        inside = {**scope, "root_path": mounted, "path": scope["path"] + "/"}
        await self._app(inside, receive, send)


def _with_id(send: Send, request_id: str) -> Send:
    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            ids = [(name, request_id.encode()) for name in ID_HEADERS]
            message = {**message, "headers": [*message.get("headers", ()), *ids]}
        await send(message)

    return told


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    raise CallFault(404, NOWHERE)
