"""What state a server is in, and who may act on it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from serverdomain.adapters.cli.options import ENDPOINT, Asking, Endpoint, ServerId, with_options

app = typer.Typer()


@app.command()
@with_options
def lock(server: ServerId, asking: Asking, endpoint: Endpoint = ENDPOINT) -> None:
    """Let only administrators act on a server."""
    asking.act(endpoint, lambda servers, **how: servers.lock(server, **how))


@app.command()
@with_options
def unlock(server: ServerId, asking: Asking, endpoint: Endpoint = ENDPOINT) -> None:
    """Let a server's users act on it again."""
    asking.act(endpoint, lambda servers, **how: servers.unlock(server, **how))


@app.command()
@with_options
def stop(server: ServerId, asking: Asking, endpoint: Endpoint = ENDPOINT) -> None:
    """Turn a server off."""
    asking.act(endpoint, lambda servers, **how: servers.stop(server, **how))


@app.command()
@with_options
def start(server: ServerId, asking: Asking, endpoint: Endpoint = ENDPOINT) -> None:
    """Turn a server on."""
    asking.act(endpoint, lambda servers, **how: servers.start(server, **how))


@app.command()
@with_options
def reset_state(
    server: ServerId,
    state: Annotated[
        Literal["active", "error"], typer.Argument(metavar="active|error", help="What it is in.")
    ],
    asking: Asking,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Say what state a server is in.

    For administrators (--role admin). Ends a rebuild.
    """
    found: Literal["ACTIVE", "ERROR"] = "ACTIVE" if state == "active" else "ERROR"
    asking.act(endpoint, lambda servers, **how: servers.reset_state(server, found, **how))
