"""A server: its timeline, and one moment of it with the document as it was then."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from serverdomain.adapters.audit_page.document_lines import document_lines
from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.page import page
from serverdomain.adapters.audit_page.story import Moment, Story
from serverdomain.adapters.audit_page.timeline_picture import picture, share
from serverdomain.adapters.audit_page.visit import Visit
from serverdomain.errors import InvalidInput

ROWS = 50
"""How many events stand in the table at a time."""


def server(kept: Kept, visit: Visit) -> Response:
    """The page of a server, at the moment that was asked for, or now."""
    story = kept.stories.find(visit.needed("id"), visit.within)
    at = _asked(story, visit)
    drawn = picture(story)
    return page("server.html", visit, **_shown(kept, visit, story, at), drawn=drawn)


def moment(kept: Kept, visit: Visit) -> Response:
    """One moment alone, for the script of a page that shows the same story up to ``head``."""
    story = kept.stories.find(visit.needed("id"), visit.within, visit.number("head"))
    at = _asked(story, visit)
    members = _shown(kept, visit, story, at)
    # The table stays where it is as long as the event stands in it.
    is_in_table = visit.number("from") == members["first"]
    return page("moment.html", visit, **members, is_in_table=is_in_table)


def _shown(kept: Kept, visit: Visit, story: Story, at: Moment) -> dict[str, Any]:
    members = shown(story, at, kept.endpoint or visit.root)
    return members | {"proves": kept.checkpoint is not None}


def shown(story: Story, at: Moment, endpoint: str) -> dict[str, Any]:
    """What a template needs to show a moment of a story."""
    first = (at.row - 1) // ROWS * ROWS + 1
    changed = [change.path for change in at.entry.changes]
    return {
        "story": story,
        "at": at,
        "x": round(share(story, at.row), 2),
        "lines": document_lines(at.after, changed, endpoint),
        "first": first,
        "rows": story.moments(first, first - 1 + ROWS),
        "size": ROWS,
    }


def _asked(story: Story, visit: Visit) -> Moment:
    version, position, row, until = map(visit.number, ("version", "position", "row", "until"))
    if version is not None:
        return story.of_version(version)
    if position is not None:
        return story.of_position(position)
    if until is not None:
        return story.as_of(until)
    given = visit.one("x")
    if given is not None:
        try:
            return story.nearest(min(max(float(given), 0.0), 100.0) / 100)
        except ValueError:
            raise InvalidInput("x", f"{given!a} came, a number is allowed") from None
    return story.moment(len(story) if row is None else row)
