"""Reports on the whole fleet, a page each: tables, and a plot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serverdomain.adapters.cli.answers import say, say_json, say_table, visible, width
from serverdomain.adapters.cli.history import catch_up
from serverdomain.adapters.cli.option_groups import with_options
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from serverdomain.audit.reports import Images, LostMetadata, Rebuilds
    from serverdomain.audit.reports.rebuilds import Group
    from serverdomain.servers import Servers

app = typer.Typer(help="Reports on the whole fleet.")

Limit = Annotated[int, typer.Option("--limit", metavar="N", help="Lines of a table, at most.")]

_SHOWN_MONTHS = 6
# Columns of a terminal: a month with its gap, and what stands before the months.
_MONTH, _BESIDE_MONTHS = 9, 48
_SHOWN_LINES = 4


@app.command()
@with_options
def rebuilds(store: StoreOptions, limit: Limit = 10, as_json: AsJson = False) -> None:
    """Tell how long rebuilds take, where they fail, and which never ended."""
    from serverdomain.audit.reports import rebuilds

    _ask_limit(limit)
    with store.open() as servers:
        catch_up(servers)
        found = rebuilds(servers.timeline, limit)
    if as_json:
        say_json(found.as_json())
    else:
        _say_rebuilds(found)


@app.command()
@with_options
def images(
    store: StoreOptions,
    image: Annotated[
        str | None,
        typer.Option(metavar="ID", help="List the servers that still run this image, too."),
    ] = None,
    limit: Limit = 10,
    as_json: AsJson = False,
) -> None:
    """Tell which images the fleet ran over time."""
    from serverdomain.audit.reports import images
    from serverdomain.domain import limits

    _ask_limit(limit)
    asked = None if image is None else limits.canonical_uuid("--image", image)
    with store.open() as servers:
        catch_up(servers)
        found = images(servers.timeline, asked)
        still = _still(servers, found)
    if as_json:
        shown = found.as_json()
        if found.servers is not None:
            shown["servers"] = still
        say_json(shown)
    else:
        _say_images(found, still, limit)


@app.command()
@with_options
def metadata(store: StoreOptions, limit: Limit = 10, as_json: AsJson = False) -> None:
    """Tell which metadata was lost in rebuilds."""
    from serverdomain.audit.reports import lost_metadata

    _ask_limit(limit)
    with store.open() as servers:
        catch_up(servers)
        found = lost_metadata(servers.timeline, limit)
    if as_json:
        say_json(found.as_json())
    else:
        _say_metadata(found)


def _ask_limit(limit: int) -> None:
    if limit < 1:
        raise InvalidInput("--limit", f"{limit} came, a whole number of at least 1 is allowed")


def _say_rebuilds(found: Rebuilds) -> None:
    from serverdomain.adapters.cli import plots

    counted = ", ".join(f"{count} {how}" for how, count in found.outcomes.items())
    say(f"{found.requested} rebuilds: {counted or 'none'}")
    if not found.requested:
        return
    if found.durations:
        say(f"those that completed took {_percentiles(found.seconds)}\n")
        # The longest would flatten all others; a percentile is rounded.
        most = found.seconds["p99"]
        minutes = [seconds / 60 for seconds in found.durations if round(seconds, 1) <= most]
        say(plots.histogram(minutes, "minutes that a rebuild took, the longest 1 % left out"))
    for what, groups in (("image", found.by_image), ("host", found.by_host)):
        say("")
        _say_rows(
            (what, "rebuilds", "failed", "share", "half took", "9 of 10 took"),
            (_group(group) for group in groups),
        )
    if found.never_ended:
        say("\nnever ended:")
        _say_rows(
            ("requested", "server", "image", "rebuild"),
            (
                (one.requested_at, one.server_id, one.image_id, one.rebuild_id)
                for one in found.never_ended
            ),
        )


def _group(group: Group) -> tuple[str, ...]:
    p50, p90 = (group.seconds.get(name) for name in ("p50", "p90"))
    share = f"{group.failed / group.requested:.1%}"
    return group.id, str(group.requested), str(group.failed), share, _took(p50), _took(p90)


def _say_images(found: Images, still: list[dict[str, Any]], limit: int) -> None:
    from serverdomain.adapters.cli import plots

    used = [use for use in found.images if use.now]
    say(f"{sum(use.now for use in used)} servers run {len(used)} images")
    if not found.images:
        return
    parts = min(max((width() - _BESIDE_MONTHS) // _MONTH, 1), _SHOWN_MONTHS)
    last = len(found.months) - 1
    shown = sorted({round(part * last / parts) for part in range(1, parts + 1)})
    say("")
    _say_rows(
        ("image", "now", "most", *(found.months[place] for place in shown)),
        (
            (use.image_id, str(use.now), str(use.most), *(str(use.by_month[n]) for n in shown))
            for use in found.images[:limit]
        ),
    )
    say("")
    most_used = sorted(found.images, key=lambda use: -use.most)[:_SHOWN_LINES]
    series = {use.image_id[:8]: use.by_month for use in most_used}
    say(plots.lines(found.months, series, "servers by image, at the end of each month"))
    if found.servers is not None:
        say(f"\n{len(still)} servers still run {found.image_id}:")
        _say_rows(
            ("server", "name", "status", "project", "since"),
            ([str(value) for value in one.values()] for one in still),
        )


def _still(servers: Servers, found: Images) -> list[dict[str, Any]]:
    there = []
    for one in found.servers or ():
        try:
            server = servers.get(one.server_id)
        except NotFound:
            continue  # Deleted since.
        there.append(
            {
                "id": server.id,
                "name": server.name,
                "status": server.status,
                "project_id": server.project_id,
                "since": one.since,
            }
        )
    return there


def _say_metadata(found: LostMetadata) -> None:
    from serverdomain.adapters.cli import plots

    say(f"{found.rebuilds} rebuilds took metadata away from {found.servers} servers")
    if not found.rebuilds:
        return
    say("")
    _say_rows(
        ("key", "rebuilds", "servers", "last"),
        ((one.key, str(one.rebuilds), str(one.servers), one.last) for one in found.keys),
    )
    say("")
    _say_rows(
        ("user", "rebuilds", "keys"),
        ((one.user_id, str(one.rebuilds), str(one.keys)) for one in found.by_user),
    )
    say("")
    months = list(found.by_month)
    say(plots.lines(months, {"rebuilds": list(found.by_month.values())}, "a month"))
    say("\nlatest:")
    _say_rows(
        ("occurred", "server", "user", "request", "keys"),
        (
            (one.occurred_at, one.server_id, one.user_id, one.request_id, ", ".join(one.keys))
            for one in found.latest
        ),
    )


def _say_rows(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(visible, row))
    say_table(table)


def _percentiles(seconds: Mapping[str, float]) -> str:
    words = {"p50": "half at most", "p90": "9 of 10", "p99": "99 of 100", "p100": "all"}
    return ", ".join(f"{words[name]} {_took(value)}" for name, value in seconds.items())


def _took(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
