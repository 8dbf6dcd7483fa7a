"""Waiting for a server by following the log, without polling."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.answers import document, say_json
from serverdomain.adapters.cli.options import ENDPOINT, Endpoint, ServerId, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, option
from serverdomain.adapters.cli.questions import Status, status_option
from serverdomain.errors import Conflict

app = Commands()


@app.command()
def wait(
    server: ServerId,
    store: StoreOptions,
    status: Annotated[Status, status_option("STATUS", "The status to wait for.")],
    timeout: Annotated[
        float | None, option("SECONDS", "How long to wait.", min=0, show_default="for ever")
    ] = None,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Wait until a server is in a status.

    Fails if it is in ERROR first, is deleted, or the time is over.
    """
    with store.open() as servers:
        for found in servers.follow(servers.find(server), timeout):
            if found.status == status:
                break
            if found.status == "ERROR":
                why = "" if found.fault is None else f": {found.fault.message}"
                raise Conflict(f"server {found.id} is ERROR, {status} was waited for{why}")
        else:
            raise Conflict(
                f"server {found.id} is {found.status} after {timeout:g} s, {status} was waited for"
            )
    say_json({"server": document(found, endpoint)})
