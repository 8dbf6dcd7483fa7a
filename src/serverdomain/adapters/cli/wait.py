"""Waiting for a server by following the log, without polling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from serverdomain.adapters.cli.answers import document, say_json
from serverdomain.adapters.cli.option_groups import command
from serverdomain.adapters.cli.options import (
    ENDPOINT,
    Endpoint,
    ServerId,
    StoreOptions,
)
from serverdomain.adapters.cli.questions import Status
from serverdomain.errors import Conflict

if TYPE_CHECKING:
    from serverdomain.domain.server import Server

app = typer.Typer()


@command(app)
def wait(
    server: ServerId,
    store: StoreOptions,
    status: Annotated[Status, typer.Option(metavar="STATUS", help="The status to wait for.")],
    timeout: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="How long to wait.", show_default="for ever"),
    ] = None,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Wait until a server is in a status.

    Fails if it is in ERROR first, is deleted, or the time is over.
    """
    with store.open() as servers:
        for found in servers.follow(server, timeout):
            if found.status == status:
                break
            if found.status == "ERROR":
                raise Conflict(f"server {found.id} is ERROR, {status} was waited for{_why(found)}")
        else:
            raise Conflict(
                f"server {found.id} is {found.status} after {timeout:g} s, {status} was waited for"
            )
    say_json({"server": document(found, endpoint)})


def _why(server: Server) -> str:
    return "" if server.fault is None else f": {server.fault.message}"
