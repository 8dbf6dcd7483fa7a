"""What a server is, which there are, and what happened to one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serverdomain.adapters.cli.answers import (
    bar,
    document,
    followed,
    say,
    say_json,
    say_table,
    visible,
)
from serverdomain.adapters.cli.options import (
    ENDPOINT,
    AsJson,
    AsOfMoment,
    Endpoint,
    Place,
    ServerId,
    ViewPlace,
    moment_given,
    with_options,
)

if TYPE_CHECKING:
    from serverdomain.audit.history import HistoryEntry

app = typer.Typer()

Status = Literal["ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF"]


@app.command()
@with_options
def show(
    server: ServerId,
    place: Place,
    as_of: AsOfMoment = None,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Print a server as it is now, or was then."""
    at = moment_given(as_of)
    with place.open() as servers:
        found = servers.get(server, as_of=at)
    say_json({"server": document(found, endpoint)})


@app.command("list")
@with_options
def list_servers(
    place: ViewPlace,
    status: Annotated[Status | None, typer.Option(help="Only those in this status.")] = None,
    name: Annotated[str | None, typer.Option(help="Only those with this in their name.")] = None,
    image: Annotated[
        str | None, typer.Option(metavar="ID", help="Only those of this image.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="MOMENT",
            help="Those that were there at position:N or recorded:TIME.",
            show_default="now",
        ),
    ] = None,
    as_json: AsJson = False,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """List the servers that are there, or were, newest first."""
    from rich.table import Table

    from serverdomain.audit.as_of import ask_fleet
    from serverdomain.domain import limits, moment

    image_id = None if image is None else limits.canonical_uuid("--image", image)
    at = moment_given(as_of)
    if at is None:
        with place.open_view() as servers:
            found = servers.list(status=status, name=name, image_id=image_id)
    else:
        ask_fleet(at, "--as-of")
        with place.open() as servers, bar(sys.stderr) as progress:
            follow = followed(progress, "fleet")
            with servers.fleet(as_of=at, progress=follow) as fleet:
                found = fleet.servers(status=status, name=name, image_id=image_id)
    if as_json:
        say_json({"servers": [document(server, endpoint) for server in found]})
        return
    table = Table(box=None, pad_edge=False)
    for column in ("id", "name", "status", "image", "project", "updated"):
        table.add_column(column, overflow="fold")
    for server in found:
        updated = moment.seconds(server.updated)
        shown = (server.id, server.name, server.status, server.image_id, server.project_id)
        table.add_row(*map(visible, (*shown, updated)))
    say_table(table)


@app.command()
@with_options
def history(server: ServerId, place: Place, as_json: AsJson = False) -> None:
    """Tell what happened to a server.

    When, which event, who, and what it changed from what to what.
    """
    with place.open() as servers:
        found = servers.history(server)
    if as_json:
        say_json([entry.as_json() for entry in found])
    else:
        say("\n".join(told(found)))


def told(entries: Iterable[HistoryEntry]) -> Iterator[str]:
    """The lines of a history for people."""
    for entry in entries:
        shown = entry.as_json()
        who = visible(f"{entry.user_id} in {entry.project_id}")
        yield f"{shown['occurred_at']}  {entry.name}  by {who}, {entry.request_id}"
        if entry.version is None:
            asked, rule, why = (shown["data"][name] for name in ("kind", "rule", "why"))
            yield f"    {asked} refused by the rule of {rule}: {visible(why)}"
        for change in entry.changes:
            before, after = (_value(value) for value in (change.before, change.after))
            yield f"    {visible(change.path)}: {before} -> {after}"


def _value(value: object) -> str:
    return "absent" if value is None else visible(json.dumps(value, ensure_ascii=False))
