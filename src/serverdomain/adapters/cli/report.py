"""Reports on the whole fleet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from serverdomain.adapters.cli.answers import say_json
from serverdomain.adapters.cli.history import require_limit
from serverdomain.adapters.cli.html_file import Html, require_html, write_page
from serverdomain.adapters.cli.options import AsJson, By, Long, Of, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, option
from serverdomain.adapters.cli.progress_bar import catch_up
from serverdomain.errors import NotFound

if TYPE_CHECKING:
    from serverdomain.audit.reports import Images, LostMetadata, Rebuilds
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
    long: Long = False,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Report how long rebuilds take, and how they end."""
    from serverdomain.adapters.cli.report_pages import say_rebuilds
    from serverdomain.audit.reports import rebuilds

    with _asked(store, limit, html, as_json) as servers:
        found = rebuilds(servers.timeline, limit, by=by, of=of)
    if html is not None or as_json:
        _give(found, html, limit)
    else:
        groups = ("image", "host") if group_by is None else (group_by,)
        say_rebuilds(found, groups, long=long)


@app.command()
def images(
    store: StoreOptions,
    image: Annotated[
        str | None, option("ID", "Also list the servers that still run this image.")
    ] = None,
    of: Of = None,
    limit: Limit = 10,
    long: Long = False,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Report which images the fleet ran over time."""
    from serverdomain.adapters.cli.report_pages import say_images
    from serverdomain.audit.reports import images
    from serverdomain.domain import limits

    asked = None if image is None else limits.canonical_uuid("--image", image)
    with _asked(store, limit, html, as_json) as servers:
        found = images(servers.timeline, asked, of=of)
        still = _still(servers, found)
    if html is not None or as_json:
        _give(found, html, limit, still)
    else:
        say_images(found, still or [], limit, long=long)


@app.command()
def metadata(
    store: StoreOptions,
    by: By = None,
    of: Of = None,
    group_by: Annotated[
        Literal["user", "project"], option(None, "Count by these, beside the keys.")
    ] = "user",
    limit: Limit = 10,
    long: Long = False,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Report which metadata was lost in rebuilds."""
    from serverdomain.adapters.cli.report_pages import say_metadata
    from serverdomain.audit.reports import lost_metadata

    with _asked(store, limit, html, as_json) as servers:
        found = lost_metadata(servers.timeline, limit, by=by, of=of)
    if html is not None or as_json:
        _give(found, html, limit)
    else:
        say_metadata(found, group_by, long=long)


def _give(
    found: Rebuilds | Images | LostMetadata,
    html: str | None,
    limit: int,
    still: list[dict[str, Any]] | None = None,
) -> None:
    """Write a report as a page, or print it as JSON where no file is given."""
    if html is None:
        say_json(found.as_json() | ({} if still is None else {"servers": still}))
        return
    from serverdomain.adapters.audit_page.files import report_file

    write_page(html, report_file(found, limit, still or ()))


@contextmanager
def _asked(store: StoreOptions, limit: int, html: str | None, as_json: bool) -> Iterator[Servers]:
    """The servers, with their timeline at the log's head."""
    require_html(store, html, as_json)
    require_limit(limit)
    with store.open() as servers:
        catch_up(servers.timeline, "timeline")
        yield servers


def _still(servers: Servers, found: Images) -> list[dict[str, Any]] | None:
    if found.servers is None:
        return None
    there = []
    for one in found.servers:
        try:
            server = servers.get(one.server_id)
        except NotFound:
            continue  # Deleted since.
        shown = {name: getattr(server, name) for name in ("id", "name", "status", "project_id")}
        there.append({**shown, "since": one.since})
    return there
