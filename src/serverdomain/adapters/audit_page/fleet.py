"""The fleet, now or as of a moment: a table with search, filters and sorting."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.responses import Response

from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.page import page
from serverdomain.adapters.audit_page.visit import Visit
from serverdomain.domain.server import Server
from serverdomain.errors import InvalidInput
from serverdomain.projections.server_query import SORTS, STATUSES, Asked
from serverdomain.servers import Servers

ROWS = 50
"""How many servers stand on a page."""

_COLUMNS = {
    "name": "name",
    "status": "status",
    "image_id": "image",
    "flavor_id": "flavor",
    "project_id": "project",
    "created": "created",
    "updated": "updated",
}


class Found(NamedTuple):
    """A page of servers, which one, of how many, and the position that they are as of."""

    servers: list[Server]
    page: int
    number: int
    position: int


def fleet(kept: Kept, visit: Visit) -> Response:
    """The table."""
    asked = _wanted(visit)
    as_of = visit.one("as_of")
    found = _found(kept.servers, as_of, asked, visit.number("page") or 1)
    at = found.page
    name = visit.one("name")
    return page(
        "fleet.html",
        visit,
        found=found,
        columns=_columns(visit),
        statuses=STATUSES,
        chosen=visit.asked.getlist("status"),
        first=(at - 1) * ROWS + 1,
        number=at,
        pages=_pages(found.number),
        # From the fleet as it was, one comes to a server as it was.
        then={} if as_of is None else {"until": found.position},
        gone=_gone(kept, visit, name) if name and as_of is None else [],
    )


def _wanted(visit: Visit) -> Asked:
    asked: Asked = {}
    name, image, flavor = (visit.one(one) for one in ("name", "image", "flavor"))
    if name is not None:
        asked["name"] = name
    if image is not None:
        asked["image_id"] = image
    if flavor is not None:
        asked["flavor_id"] = flavor
    statuses = [one for one in visit.asked.getlist("status") if one]
    if statuses:
        asked["status"] = statuses
    project = visit.one("project") if visit.within is None else visit.within
    if project is not None:
        asked["project_id"] = project
    sort = visit.one("sort")
    if sort is not None:
        asked["sort"] = sort
    return asked


def _found(servers: Servers, as_of: str | None, asked: Asked, page: int) -> Found:
    given: Any = asked
    if as_of is None:
        head = servers.head()
        number = servers.view.count(**given)
        page = min(page, _pages(number))
        listed = servers.list(**given, limit=ROWS, offset=(page - 1) * ROWS)
        return Found(listed, page, number, head)
    try:
        with servers.fleet(as_of=as_of) as then:
            number = then.count(**given)
            page = min(page, _pages(number))
            listed = then.servers(**given, limit=ROWS, offset=(page - 1) * ROWS)
            return Found(listed, page, number, then.position)
    except InvalidInput as wrong:
        raise InvalidInput("as of", str(wrong).removeprefix("as_of: ")) from None


def _pages(number: int) -> int:
    return max(-(-number // ROWS), 1)


def _columns(visit: Visit) -> list[tuple[str, str, str, str]]:
    """Of each column its name, what it is called, the link that sorts by it, and how it is now."""
    by, _, way = (visit.one("sort") or "created:desc").partition(":")
    columns = []
    for name, called in _COLUMNS.items():
        assert name in SORTS
        is_by = name == by
        other = f"{name}:desc" if is_by and way != "desc" else name
        how = ("descending" if way == "desc" else "ascending") if is_by else "none"
        columns.append((name, called, visit.link(sort=other, page=None), how))
    return columns


def _gone(kept: Kept, visit: Visit, name: str) -> list[tuple[str, str]]:
    """The deleted servers that had exactly this name, of those that may be seen."""
    found = []
    for one in kept.servers.view.named(name):
        if one.status is None:
            project = kept.stories.find(one.id, None).project_id
            if visit.within in (None, project):
                found.append((one.id, one.name))
    return found
