"""Two moments of a server side by side, with what changed and by which events."""

from __future__ import annotations

from starlette.responses import Response

from serverdomain.adapters.audit_page.document_lines import document_lines
from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.page import page
from serverdomain.adapters.audit_page.visit import Visit
from serverdomain.errors import InvalidInput


def compare(kept: Kept, visit: Visit) -> Response:
    """The page."""
    story = kept.stories.find(visit.needed("id"), visit.within)
    if story.left_out:
        # A comparison holds the whole history, and others wait for pages of their own.
        raise InvalidInput(
            "id",
            f"server {story.server_id} has more events than are compared here: "
            f"serverdomain diff {story.server_id} compares any two moments of it",
        )
    before, after = visit.one("from") or "first", visit.one("to") or "now"
    found = kept.servers.diff(story.server_id, before, after)
    changed = [change.path for change in found.changes]
    endpoint = kept.endpoint or visit.root
    return page(
        "compare.html",
        visit,
        story=story,
        words=(before, after),
        found=found,
        sides=[
            (words, side, document_lines(side.server, changed, endpoint))
            for words, side in ((before, found.before), (after, found.after))
        ],
    )
