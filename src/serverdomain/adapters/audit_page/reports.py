"""The three reports as charts, with the tables that they are drawn from."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from serverdomain.adapters.audit_page import charts
from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.page import page
from serverdomain.adapters.audit_page.visit import Visit
from serverdomain.audit.reports import Images, LostMetadata, Rebuilds, images, lost_metadata
from serverdomain.audit.reports import rebuilds as rebuilds_of
from serverdomain.domain.limits import shown
from serverdomain.errors import NotFound
from serverdomain.projections.timeline import Timeline

ROWS = 10
"""The most lines of a table."""

_DRAWN = 6
_ORDER = ("completed", "failed", "reset", "replaced", "deleted", "never")
TITLES = {
    "rebuilds": "How long rebuilds take, and how they end",
    "images": "Which images the fleet runs",
    "metadata": "Which metadata rebuilds took away",
}
"""What each report says, by its name."""


def reports(kept: Kept, visit: Visit) -> Response:
    """The page of a report."""
    name = visit.one("show") or "rebuilds"
    if name not in TITLES:
        raise NotFound(f"show: {shown(name)} came, {', '.join(TITLES)} are allowed")
    of = visit.one("project") if visit.within is None else visit.within
    members = report(kept.servers.timeline, name, by=visit.one("by"), of=of)
    return page("reports.html", visit, name=name, titles=TITLES, **members)


def report(
    timeline: Timeline, name: str, *, by: str | None, of: str | None, limit: int = ROWS
) -> dict[str, Any]:
    """What a template needs to show a report."""
    if name == "rebuilds":
        return rebuilds_shown(rebuilds_of(timeline, limit, by=by, of=of))
    if name == "images":
        return images_shown(images(timeline, of=of), limit)
    return metadata_shown(lost_metadata(timeline, limit, by=by, of=of))


def rebuilds_shown(found: Rebuilds) -> dict[str, Any]:
    """The report of rebuilds: how many ended how in each month, and how long they took."""
    months = list(found.by_month)
    series = {
        how: [found.by_month[month].get(how, 0) for month in months]
        for how in _ORDER
        if how in found.outcomes
    }
    most = found.seconds.get("p99", 0)
    minutes = [seconds / 60 for seconds in found.durations if round(seconds, 1) <= most]
    return {
        "found": found,
        "series": series,
        "months": months,
        "drawn": charts.columns(
            "Rebuilds by the month in which they were asked for", months, series
        ),
        "lasted": charts.histogram("How many rebuilds took how long", minutes, "minutes"),
        "groups": [
            (what, getattr(found, f"by_{what}")) for what in ("image", "host", "user", "project")
        ],
    }


def images_shown(found: Images, limit: int = ROWS) -> dict[str, Any]:
    """The report of images: how many servers ran each at the end of each month."""
    uses = found.images[:limit]
    # Of all of them: what the fleet ran once is gone from the top of the table.
    most_used = sorted(found.images, key=lambda use: -use.most)[:_DRAWN]
    series = {use.image_id: use.by_month for use in most_used}
    title = "Servers by image, at the end of each month"
    return {
        "found": found,
        "uses": uses,
        "series": series,
        "months": found.months,
        "drawn": charts.lines(title, found.months, series),
    }


def metadata_shown(found: LostMetadata) -> dict[str, Any]:
    """The report of metadata: how many rebuilds lost some in each month, and which."""
    months = list(found.by_month)
    series = {"rebuilds": list(found.by_month.values())}
    title = "Rebuilds that took metadata away, by month"
    return {
        "found": found,
        "series": series,
        "months": months,
        "drawn": charts.columns(title, months, series),
    }
