"""Serve the Compute endpoint on a port."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

from serverdomain.adapters.cli.answers import say
from serverdomain.adapters.cli.audit_options import AuditOptions
from serverdomain.adapters.cli.options import checked_endpoint, shared
from serverdomain.adapters.cli.parameters import Commands
from serverdomain.adapters.cli.serve_options import AddressOptions, CallerOptions, CloudOptions
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from serverdomain.adapters.http import NoAuthentication, TokenFile
    from serverdomain.adapters.http.control.simulation import Simulation

app = Commands()

Log = Annotated[str, shared("store", "PATH|URL", "The log: memory:, or as cloud.db.")]
OwnEndpoint = Annotated[
    str | None,
    shared(
        "endpoint",
        "URL",
        "The root of links.",
        callback=lambda given: given and checked_endpoint(given),
        show_default="as each request has it",
    ),
]


@app.command()
def serve(
    *,
    store: Log = "memory:",
    address: AddressOptions,
    cloud: CloudOptions,
    callers: CallerOptions,
    auditing: AuditOptions,
    endpoint: OwnEndpoint = None,
) -> None:
    """Serve the Compute API over a store.

    A simulated hypervisor does the work. Ctrl-C or SIGTERM ends it once calls are answered.
    """
    from serverdomain.adapters.http.serving.server import serve as serve_app

    cloud.require_sense()
    auditing.require_sense()
    authenticate = callers.authentication(address.host)
    with ExitStack() as closing:
        listener = closing.enter_context(address.listen())
        servers, clock = cloud.open(store)
        closing.callback(servers.close)
        cloud.fill(servers, callers.home)
        authenticate = callers.seeing(authenticate, servers)
        simulation = cloud.simulation(servers, clock)
        compute = _endpoint(cloud, simulation, authenticate, endpoint)
        end = simulation.drop_delayed
        app, end = auditing.beside(compute, end, servers, authenticate, endpoint)
        closing.enter_context(_json_lines())
        here = address.root(listener)
        serve_app(
            app,
            listener,
            ready=lambda: _say_ready(here, endpoint, store, callers.auth, auditing.audit),
            hangup=lambda: _read_anew(authenticate),
            ending=end,
        )


def _endpoint(
    cloud: CloudOptions,
    simulation: Simulation,
    authenticate: NoAuthentication | TokenFile,
    endpoint: str | None,
) -> ASGIApp:
    from serverdomain.adapters.http import compute_app
    from serverdomain.adapters.http.control.panel import ControlPanel

    return compute_app(
        simulation.servers,
        authenticate=authenticate,
        hypervisor=simulation.start,
        endpoint=endpoint,
        control=None if cloud.is_alone else ControlPanel(simulation),
        **cloud.exists(),
    )


def _say_ready(here: str, endpoint: str | None, store: str, auth: str, audit: bool) -> None:
    from serverdomain.adapters.client_settings import shell_lines

    if audit:
        say(f"The audit page is at {here}/audit/.")
    lines = shell_lines(endpoint or here, token=auth == "token-file")
    say(f"The Compute API is at {here}, its log in {store}. To point a client at it:\n")
    say("\n".join(lines))


def _read_anew(who: NoAuthentication | TokenFile) -> None:
    import logging

    from serverdomain.adapters.http import TokenFile

    if isinstance(who, TokenFile):
        try:
            who.reload()
        except InvalidInput as wrong:
            # As a line of the log: nothing that serves may wait for who reads stderr.
            logging.getLogger("serverdomain.http").warning(
                "%s; the tokens that were read before go on", wrong
            )


@contextmanager
def _json_lines() -> Iterator[None]:
    """Log as JSON on stderr, instead of the plain lines of other commands."""
    import logging

    from serverdomain.adapters.http.log import as_json

    logger = logging.getLogger("serverdomain")
    others, level = logger.handlers[:], logger.level
    logger.handlers.clear()
    handler = as_json(sys.stderr)
    # Both log something now and then, uvicorn for instance when it stops waiting.
    servers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio")]
    for server in servers:
        server.addHandler(handler)
    try:
        yield
    finally:
        for server in servers:
            server.removeHandler(handler)
        handler.close()
        logger.handlers[:] = others
        logger.setLevel(level)
