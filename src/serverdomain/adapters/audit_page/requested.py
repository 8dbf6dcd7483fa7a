"""A request, and all that it caused: its own events, and those of what came of it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from starlette.responses import Response

from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.page import page
from serverdomain.adapters.audit_page.visit import Visit
from serverdomain.domain.limits import shown
from serverdomain.errors import NotFound
from serverdomain.projections.history import HistoryEntry
from serverdomain.store.recorded import RecordedCommand

MOST = 1_000
"""The most events of a request that are shown, the latest."""


class Asked(NamedTuple):
    """A command as it was recorded, what it asked, and its events."""

    command: RecordedCommand
    members: dict[str, Any]
    entries: list[HistoryEntry]


def requested(kept: Kept, visit: Visit) -> Response:
    """The page of a request."""
    request_id = visit.needed("id")
    # Whatever comes after this is asked for again.
    head = kept.servers.head()
    timeline = kept.servers.timeline
    found = list(timeline.search(request=request_id, project=visit.within, limit=MOST))
    if not found:
        raise NotFound(f"no command was recorded under the request id {shown(request_id)}")
    asked: dict[int, Asked] = {}
    for entry in found:
        command = entry.recorded.command
        if command.command_id not in asked:
            asked[command.command_id] = Asked(command, json.loads(command.members), [])
        asked[command.command_id].entries.append(entry)
    names = {entry.server_id: kept.stories.find(entry.server_id, None).name for entry in found[:20]}
    return page(
        "request.html",
        visit,
        request_id=request_id,
        head=head,
        asked=list(asked.values()),
        names=names,
        number=len(found),
        most=MOST,
    )
