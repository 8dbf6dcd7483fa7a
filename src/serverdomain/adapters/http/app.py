"""`compute_app`: the Compute API over a store, as an ASGI app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from serverdomain.adapters.http.calls.authentication import Authenticate, NoAuthentication
from serverdomain.adapters.http.calls.cloud import Cloud, Flavors, Images
from serverdomain.adapters.http.calls.control import Control
from serverdomain.adapters.http.calls.endpoint import Endpoint
from serverdomain.adapters.http.calls.machine import Hypervisor, Machine, simulated
from serverdomain.adapters.http.control.gate import ControlGate, Entrance
from serverdomain.adapters.http.routes.documents import DOCUMENTS
from serverdomain.adapters.http.routes.table import TABLE
from serverdomain.domain.typed import typed
from serverdomain.servers import Servers
from serverdomain.servers.awaited import AsyncServers


@typed
def compute_app(
    servers: Servers | AsyncServers,
    *,
    authenticate: Authenticate | None = None,
    images: Images | None = None,
    flavors: Flavors | None = None,
    hypervisor: Hypervisor | None = simulated,
    endpoint: str | None = None,
    control: Control | None = None,
) -> ASGIApp:
    """The Compute API over ``servers``, which stay yours: close them after the app.

    ``authenticate`` says who is calling (see `Authenticate`; everybody on this machine, if none
    is given), ``images`` which images exist (a mapping of ids to names, or a callable that gives an
    id's name or ``None``; every one, if none is given), ``flavors`` likewise which flavors (``1``
    to ``5``, if none is given; and always those that servers have). ``hypervisor`` is started with
    the app, or at the first request where no lifespan is run, and closed with it; with ``None`` it
    is somebody else who reports what was built. ``endpoint`` is the root that links begin with;
    without one it is the scheme and host of the request. ``control`` stands around every call.
    Over ``servers`` that are read alone there is no hypervisor, and all but GET and HEAD is refused
    with 403.
    """
    who = NoAuthentication() if authenticate is None else authenticate
    cloud = Cloud(servers, images, flavors)
    machine = Machine(cloud.servers, None if servers.read_only else hypervisor)
    app = Endpoint(cloud, TABLE, DOCUMENTS, who, endpoint, control, machine)
    controls: list[BaseRoute] = []
    if control is not None:
        gate = ControlGate(control.routes, who, machine)
        controls += [Mount("/control", app=gate), Route("/control", Entrance("/control", gate))]

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        await machine.start()
        try:
            yield
        finally:
            await machine.stop()

    return _past(Router(controls, redirect_slashes=False, default=app, lifespan=lifespan), app)


def _past(router: Router, app: ASGIApp) -> ASGIApp:
    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        # Most calls are none to the control: they need not look for it.
        is_call = scope["type"] == "http" and "/control" not in scope["path"]
        await (app if is_call else router)(scope, receive, send)

    return served
