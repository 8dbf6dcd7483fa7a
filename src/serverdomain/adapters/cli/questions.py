"""What a server is, and which servers there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serverdomain.adapters.cli.answers import (
    document,
    say_json,
    say_table,
)
from serverdomain.adapters.cli.option_groups import with_options
from serverdomain.adapters.cli.options import (
    ENDPOINT,
    AsJson,
    AsOfMoment,
    Endpoint,
    ServerId,
    StoreOptions,
    ViewOptions,
    moment_given,
)
from serverdomain.adapters.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from serverdomain.projections.server_query import Asked

app = typer.Typer()

FleetMoment = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="MOMENT",
        help="Those that were there at position:N or recorded:TIME.",
        show_default="now",
    ),
]
Status = Literal["ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF"]


@app.command()
@with_options
def show(
    server: ServerId,
    store: StoreOptions,
    as_of: AsOfMoment = None,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Print a server as it is now, or as of a moment."""
    at = moment_given(as_of)
    with store.open() as servers:
        found = servers.get(server, as_of=at)
    say_json({"server": document(found, endpoint)})


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """Which servers to list."""

    status: Annotated[Status | None, typer.Option(help="Only servers in this status.")] = None
    name: Annotated[str | None, typer.Option(help="Only servers with this in their name.")] = None
    image: Annotated[str | None, typer.Option(metavar="ID", help="Only servers of this image.")] = (
        None
    )

    def given(self) -> Asked:
        """The filters as `Servers.list` takes them. Raises `InvalidInput`."""
        from serverdomain.domain.limits import canonical_uuid

        image_id = None if self.image is None else canonical_uuid("--image", self.image)
        return {"status": self.status, "name": self.name, "image_id": image_id}


@app.command("list")
@with_options
def list_servers(
    store: ViewOptions,
    filters: FilterOptions,
    as_of: FleetMoment = None,
    as_json: AsJson = False,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """List the servers that are there, newest first."""
    from serverdomain.audit.as_of import require_fleet
    from serverdomain.domain import moment

    wanted, at = filters.given(), moment_given(as_of)
    if at is None:
        with store.open_view() as servers:
            found = servers.list(**wanted)
    else:
        require_fleet(at, "--as-of")
        with (
            store.open() as servers,
            progress_bar("fleet") as progress,
            servers.fleet(as_of=at, progress=progress) as fleet,
        ):
            found = fleet.servers(**wanted)
    if as_json:
        say_json({"servers": [document(server, endpoint) for server in found]})
        return
    say_table(
        ("id", "name", "status", "image", "project", "updated"),
        (
            (
                *(server.id, server.name, server.status, server.image_id, server.project_id),
                moment.seconds(server.updated),
            )
            for server in found
        ),
    )
