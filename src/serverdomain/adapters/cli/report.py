"""Reports on the whole fleet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from serverdomain.adapters.cli.answers import say_json
from serverdomain.adapters.cli.history import catch_up, require_limit
from serverdomain.adapters.cli.options import AsJson, By, Of, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, option
from serverdomain.adapters.cli.report_pages import say_images, say_metadata, say_rebuilds
from serverdomain.errors import NotFound

if TYPE_CHECKING:
    from serverdomain.audit.reports import Images
    from serverdomain.servers import Servers

app = Commands(name="report", help="Reports on the whole fleet.")

Limit = Annotated[int, option("N", "The most lines of a table.")]


@app.command()
def rebuilds(
    store: StoreOptions,
    by: By = None,
    of: Of = None,
    group_by: Annotated[
        Literal["image", "host", "user", "project"] | None,
        option(None, "Show this table; without it, those by image and by host."),
    ] = None,
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Report how long rebuilds take, and how they end."""
    from serverdomain.audit.reports import rebuilds

    with _caught_up(store, limit) as servers:
        found = rebuilds(servers.timeline, limit, by=by, of=of)
    if as_json:
        say_json(found.as_json())
    else:
        say_rebuilds(found, ("image", "host") if group_by is None else (group_by,))


@app.command()
def images(
    store: StoreOptions,
    image: Annotated[
        str | None, option("ID", "Also list the servers that still run this image.")
    ] = None,
    of: Of = None,
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Report which images the fleet ran over time."""
    from serverdomain.audit.reports import images
    from serverdomain.domain import limits

    asked = None if image is None else limits.canonical_uuid("--image", image)
    with _caught_up(store, limit) as servers:
        found = images(servers.timeline, asked, of=of)
        still = _still(servers, found)
    if as_json:
        shown = found.as_json()
        if found.servers is not None:
            shown["servers"] = still
        say_json(shown)
    else:
        say_images(found, still, limit)


@app.command()
def metadata(
    store: StoreOptions,
    by: By = None,
    of: Of = None,
    group_by: Annotated[
        Literal["user", "project"], option(None, "Count by these, beside the keys.")
    ] = "user",
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Report which metadata was lost in rebuilds."""
    from serverdomain.audit.reports import lost_metadata

    with _caught_up(store, limit) as servers:
        found = lost_metadata(servers.timeline, limit, by=by, of=of)
    if as_json:
        say_json(found.as_json())
    else:
        say_metadata(found, group_by)


@contextmanager
def _caught_up(store: StoreOptions, limit: int) -> Iterator[Servers]:
    require_limit(limit)
    with store.open() as servers:
        catch_up(servers)
        yield servers


def _still(servers: Servers, found: Images) -> list[dict[str, Any]]:
    there = []
    for one in found.servers or ():
        try:
            server = servers.get(one.server_id)
        except NotFound:
            continue  # Deleted since.
        shown = {name: getattr(server, name) for name in ("id", "name", "status", "project_id")}
        there.append({**shown, "since": one.since})
    return there
