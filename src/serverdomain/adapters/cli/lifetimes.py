"""How a server's life begins and ends: adopted as it is, reported built, deleted."""

from __future__ import annotations

import typer

from serverdomain.adapters.cli.body import LONGEST_DOCUMENT, Document, read
from serverdomain.adapters.cli.options import ENDPOINT, Asking, Endpoint, ServerId, with_options

app = typer.Typer()


@app.command()
@with_options
def register(document: Document, asking: Asking, endpoint: Endpoint = ENDPOINT) -> None:
    """Adopt a server as it is.

    Makes the store if there is none.
    """
    from serverdomain.adapters.compute_json import read_server

    command = read_server(read("--from", document, LONGEST_DOCUMENT))
    asking.act(endpoint, lambda servers, **how: servers.register(command, **how), create=True)


@app.command()
@with_options
def built(server: ServerId, asking: Asking, endpoint: Endpoint = ENDPOINT) -> None:
    """Say that a server in BUILD is up."""
    asking.act(endpoint, lambda servers, **how: servers.report_built(server, **how))


@app.command()
@with_options
def delete(server: ServerId, asking: Asking) -> None:
    """Remove a server, at once and for good.

    Prints nothing. Its history stays.
    """
    asking.act(None, lambda servers, **how: servers.delete(server, **how))
