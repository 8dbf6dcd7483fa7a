"""A rebuild from the documented request to its end."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from serverdomain.adapters.cli.body import LONGEST_REQUEST, Request, read
from serverdomain.adapters.cli.options import ENDPOINT, Asking, Endpoint, ServerId, with_options

app = typer.Typer()


@app.command()
@with_options
def rebuild(
    server: ServerId, request: Request, asking: Asking, endpoint: Endpoint = ENDPOINT
) -> None:
    """Install a server again from an image.

    Prints the password with it, this once: nothing keeps it.
    """
    from serverdomain.adapters.compute_json import read_rebuild

    command = read_rebuild(read("--request", request, LONGEST_REQUEST))
    asking.act(endpoint, lambda servers, **how: servers.rebuild(server, command, **how))


@app.command()
@with_options
def progress(
    server: ServerId,
    percent: Annotated[int, typer.Argument(metavar="N", help="Percent, 0 to 100.")],
    asking: Asking,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Say how far the rebuild is."""
    asking.act(endpoint, lambda servers, **how: servers.report_progress(server, percent, **how))


@app.command()
@with_options
def complete(
    server: ServerId,
    asking: Asking,
    endpoint: Endpoint = ENDPOINT,
    progress: Annotated[
        int, typer.Option(metavar="N", help="The percentage that is shown from then on.")
    ] = 100,
) -> None:
    """Say that the rebuild is done."""
    asking.act(
        endpoint, lambda servers, **how: servers.complete_rebuild(server, progress=progress, **how)
    )


@app.command()
@with_options
def fail(
    server: ServerId,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why.")],
    asking: Asking,
    endpoint: Endpoint = ENDPOINT,
    stage: Annotated[
        Literal["scheduling", "hypervisor"],
        typer.Option(help="Where; one that was not scheduled gets its image back."),
    ] = "hypervisor",
) -> None:
    """Say that the rebuild came to nothing."""
    asking.act(endpoint, lambda servers, **how: servers.fail_rebuild(server, reason, stage, **how))
