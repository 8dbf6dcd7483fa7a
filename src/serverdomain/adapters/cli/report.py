"""Reports on the whole fleet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from serverdomain.adapters.cli.answers import say_json
from serverdomain.adapters.cli.history import require_limit
from serverdomain.adapters.cli.html_file import Html, require_one_form, write_page
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
    from serverdomain.audit.reports import rebuilds

    require_one_form(html, as_json)
    with _caught_up(store, limit) as servers:
        found = rebuilds(servers.timeline, limit, by=by, of=of)
    if html is not None:
        _write(html, found, limit)
    elif as_json:
        say_json(found.as_json())
    else:
        from serverdomain.adapters.cli.report_pages import say_rebuilds

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
    from serverdomain.audit.reports import images
    from serverdomain.domain import limits

    asked = None if image is None else limits.canonical_uuid("--image", image)
    require_one_form(html, as_json)
    with _caught_up(store, limit) as servers:
        found = images(servers.timeline, asked, of=of)
        still = _still(servers, found)
    if html is not None:
        _write(html, found, limit, still)
    elif as_json:
        shown = found.as_json()
        if found.servers is not None:
            shown["servers"] = still
        say_json(shown)
    else:
        from serverdomain.adapters.cli.report_pages import say_images

        say_images(found, still, limit, long=long)


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
    from serverdomain.audit.reports import lost_metadata

    require_one_form(html, as_json)
    with _caught_up(store, limit) as servers:
        found = lost_metadata(servers.timeline, limit, by=by, of=of)
    if html is not None:
        _write(html, found, limit)
    elif as_json:
        say_json(found.as_json())
    else:
        from serverdomain.adapters.cli.report_pages import say_metadata

        say_metadata(found, group_by, long=long)


def _write(
    html: str,
    found: Rebuilds | Images | LostMetadata,
    limit: int,
    still: Sequence[dict[str, Any]] = (),
) -> None:
    from serverdomain.adapters.audit_page.files import report_file

    write_page(html, report_file(found, limit, still))


@contextmanager
def _caught_up(store: StoreOptions, limit: int) -> Iterator[Servers]:
    require_limit(limit)
    with store.open() as servers:
        catch_up(servers.timeline, "timeline")
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
