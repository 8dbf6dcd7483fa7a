"""What a server is, and which servers there are."""

from __future__ import annotations

from typing import Annotated, Literal

from serverdomain.adapters.cli.answers import document, say_json, say_table
from serverdomain.adapters.cli.options import (
    ENDPOINT,
    AsJson,
    Endpoint,
    ServerId,
    StoreOptions,
    ViewOptions,
    as_of_moment,
    moment_given,
    say_moment,
)
from serverdomain.adapters.cli.parameters import Commands, option
from serverdomain.adapters.cli.progress_bar import progress_bar

app = Commands()

Status = Literal["ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF"]


@app.command()
def show(
    server: ServerId,
    store: StoreOptions,
    as_of: Annotated[
        str | None,
        as_of_moment(
            "version:N, position:N, TIME, recorded:TIME, occurred:TIME, or both of these times."
        ),
    ] = None,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Print a server as it is now, or as of a moment."""
    at = moment_given(as_of)
    with store.open() as servers:
        found = servers.get(servers.find(server), as_of=at)
    say_moment(as_of, at)
    say_json({"server": document(found, endpoint)})


@app.command("list")
def list_servers(
    store: ViewOptions,
    status: Annotated[Status | None, option(None, "Only servers in this status.")] = None,
    name: Annotated[str | None, option(None, "Only servers with this in their name.")] = None,
    image: Annotated[str | None, option("ID", "Only those of an image.")] = None,
    as_of: Annotated[
        str | None, as_of_moment("Those that were there at position:N or TIME.")
    ] = None,
    as_json: AsJson = False,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """List the servers that are there, newest first."""
    from serverdomain.audit.as_of import require_fleet
    from serverdomain.domain.limits import canonical_uuid
    from serverdomain.domain.moment import seconds

    image_id = None if image is None else canonical_uuid("--image", image)
    at = moment_given(as_of)
    if at is None:
        with store.open_view() as servers:
            found = servers.list(status=status, name=name, image_id=image_id)
    else:
        require_fleet(at, "--as-of")
        with (
            store.open() as servers,
            progress_bar("fleet") as progress,
            servers.fleet(as_of=at, progress=progress) as fleet,
        ):
            found = fleet.servers(status=status, name=name, image_id=image_id)
        say_moment(as_of, at)
    if as_json:
        say_json({"servers": [document(server, endpoint) for server in found]})
        return
    say_table(
        ("id", "name", "status", "image", "project", "updated"),
        (
            (s.id, s.name, s.status, s.image_id, s.project_id, seconds(s.updated_micros))
            for s in found
        ),
    )
