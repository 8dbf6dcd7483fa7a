"""Serve the Compute endpoint on a port."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serverdomain.adapters.cli.answers import complain, say
from serverdomain.adapters.cli.env import Auth
from serverdomain.adapters.cli.option_groups import with_options
from serverdomain.adapters.cli.options import checked_endpoint, shared
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from socket import socket

    from serverdomain.adapters.http import NoAuthentication, TokenFile
    from serverdomain.servers import Servers
    from serverdomain.simulation.manual_clock import ManualClock

app = typer.Typer()


@app.command()
@with_options
def serve(
    store: Annotated[
        str, shared("store", "URL", "The log: memory:, sqlite:///relative.db, …")
    ] = "memory:",
    host: Annotated[str, typer.Option(metavar="HOST", help="The host to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, metavar="PORT", help="The port; 0 picks a free one."),
    ] = 8774,
    rebuild_seconds: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long a rebuild or a create takes.")
    ] = 6,
    image: Annotated[
        list[str] | None,
        typer.Option(metavar="ID[=NAME]", help="An image that exists; repeatable. Else all do."),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty log with servers.")] = False,
    clock: Annotated[
        Literal["system", "manual"],
        typer.Option(help="Whether time passes, or stands still until it is moved."),
    ] = "system",
    no_control: Annotated[
        bool, typer.Option("--no-control", help="Serve nothing at /control.")
    ] = False,
    auth: Auth = "none",
    token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Tokens and their users, as JSON.")
    ] = None,
    project: Annotated[str, shared("project", "ID", "The project of callers.")] = "openstack",
    admin: Annotated[
        bool, typer.Option("--admin", help="With --auth none, make callers administrators.")
    ] = False,
    endpoint: Annotated[
        str | None,
        shared(
            "endpoint",
            "URL",
            "The root of links.",
            callback=lambda given: given and checked_endpoint(given),
            show_default="as each request has it",
        ),
    ] = None,
) -> None:
    """Serve the Compute API over a store.

    A simulated hypervisor does the work. Ctrl-C or SIGTERM ends it when the calls in flight are
    answered.
    """
    from serverdomain.adapters.http import compute_app
    from serverdomain.adapters.http.control.panel import ControlPanel
    from serverdomain.adapters.http.control.simulation import Simulation
    from serverdomain.adapters.http.serving.server import serve as serve_app
    from serverdomain.simulation.hypervisor import SimulatedHypervisor
    from serverdomain.simulation.rebuild_course import checked_seconds

    if clock == "manual" and no_control:
        raise InvalidInput("--clock", "manual came with --no-control, which moves it: one of them")
    checked_seconds("--rebuild-seconds", rebuild_seconds)
    who = _who(auth, token_file, host, project, admin)
    images = _images(image)
    with ExitStack() as closing:
        listener = closing.enter_context(_listening(host, port))
        servers, manual = _open(store, clock)
        closing.callback(servers.close)
        if demo:
            _fill(servers, project, images)
        simulation = Simulation(servers, rebuild_seconds=rebuild_seconds, clock=manual)
        served = compute_app(
            servers,
            authenticate=who,
            images=images or None,
            hypervisor=(
                (lambda them: SimulatedHypervisor(them, rebuild_seconds))
                if no_control
                else simulation.start
            ),
            endpoint=endpoint,
            control=None if no_control else ControlPanel(simulation),
        )
        here = f"http://{_authority(host, listener.getsockname()[1])}"
        with _json_lines():
            serve_app(
                served,
                listener,
                ready=lambda: _say_ready(here, endpoint, store, auth),
                hangup=lambda: _read_anew(who),
            )


def _who(
    auth: str, token_file: str | None, host: str, project: str, admin: bool
) -> NoAuthentication | TokenFile:
    from serverdomain.adapters.http import NoAuthentication, TokenFile
    from serverdomain.adapters.http.calls.authentication import is_this_machine
    from serverdomain.domain.limits import text

    if auth == "token-file":
        if token_file is None:
            raise InvalidInput("--token-file", "nothing came, --auth token-file requires it")
        if admin:
            raise InvalidInput("--admin", "it came with --auth token-file, where a role says it")
        return TokenFile(token_file)
    if token_file is not None:
        raise InvalidInput("--token-file", "it came without --auth token-file, which reads it")
    if not is_this_machine(f"[{host}]" if ":" in host else host):
        raise InvalidInput(
            "--host",
            f"{host!r} came with --auth none, which believes everybody: localhost, 127.0.0.0/8 or "
            "::1 is allowed, elsewhere --auth token-file",
        )
    return NoAuthentication(text("--project", project, shortest=1, longest=255), admin=admin)


def _images(given: list[str] | None) -> dict[str, str]:
    from serverdomain.domain.limits import canonical_uuid

    images = {}
    for one in given or ():
        image_id, equals, name = one.partition("=")
        image_id = canonical_uuid("--image", image_id)
        images[image_id] = name if equals else image_id
    return images


def _open(store: str, clock: str) -> tuple[Servers, ManualClock | None]:
    from serverdomain.servers import Servers
    from serverdomain.simulation.manual_clock import ManualClock

    if clock == "system":
        return Servers.open(store), None
    manual = ManualClock()
    servers = Servers.open(store, clock=manual)
    # The clock goes on where the log ended.
    manual.now = max(manual.now, servers.latest() or manual.now)
    return servers, manual


def _fill(servers: Servers, project: str, images: dict[str, str]) -> None:
    from serverdomain.simulation.demo_fleet import make

    if servers.latest() is None:
        make(servers, project, list(images))
    else:
        complain("--demo: the log is not empty, and is left as it is")


def _say_ready(here: str, endpoint: str | None, store: str, auth: str) -> None:
    from serverdomain.adapters.client_settings import shell_lines

    lines = shell_lines(endpoint or here, token=auth == "token-file")
    say(f"The Compute API is at {here}, its log in {store}. To point a client at it:\n")
    say("\n".join(lines))


def _read_anew(who: NoAuthentication | TokenFile) -> None:
    from serverdomain.adapters.http import TokenFile

    if isinstance(who, TokenFile):
        try:
            who.reload()
        except InvalidInput as wrong:
            complain(f"{wrong}; the tokens that were read before go on")


def _authority(host: str, port: int) -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    name = everywhere.get(host, host)
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _listening(host: str, port: int) -> socket:
    from serverdomain.adapters.http.serving.server import listen

    try:
        return listen(host, port)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise OSError(f"{host}, port {port}: {why}") from None


@contextmanager
def _json_lines() -> Iterator[None]:
    """Log as JSON on stderr, instead of the plain lines of other commands."""
    import logging

    from serverdomain.adapters.http.log import as_json

    logger, server = logging.getLogger("serverdomain"), logging.getLogger("uvicorn.error")
    others, level = logger.handlers[:], logger.level
    logger.handlers.clear()
    # uvicorn logs something now and then, for instance when it stops waiting.
    server.addHandler(handler := as_json(sys.stderr))
    try:
        yield
    finally:
        server.removeHandler(handler)
        logger.handlers[:] = others
        logger.setLevel(level)
