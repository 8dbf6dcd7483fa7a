"""The same pages as one file each, to be sent to somebody: no server, no script, no link out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from serverdomain.adapters.audit_page.document_lines import document_lines
from serverdomain.adapters.audit_page.page import written
from serverdomain.adapters.audit_page.reports import (
    TITLES,
    images_shown,
    metadata_shown,
    rebuilds_shown,
)
from serverdomain.adapters.audit_page.static import TEXTS
from serverdomain.adapters.audit_page.story import Moment, Story
from serverdomain.adapters.audit_page.timeline_picture import picture
from serverdomain.audit.reports import Images, LostMetadata, Rebuilds
from serverdomain.errors import InvalidInput
from serverdomain.projections.history import HistoryEntry

MOST = 10_000
"""The most events in a file."""

MOST_DOCUMENTS = 1_000
"""The most events whose documents stand in a file; of more, only what they changed does."""

_STYLE = TEXTS["audit.css"]
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"


def report_file(
    found: Rebuilds | Images | LostMetadata,
    limit: int,
    still: Sequence[Mapping[str, object]] = (),
) -> str:
    """A report as a page; ``still`` are the servers that run the image that it was asked for."""
    if isinstance(found, Rebuilds):
        name, shown = "rebuilds", rebuilds_shown(found)
    elif isinstance(found, Images):
        name, shown = "images", images_shown(found, limit)
    else:
        name, shown = "metadata", metadata_shown(found)
    return _file("report_file.html", name=name, title=TITLES[name], still=still, **shown)


def server_file(
    whole: Sequence[HistoryEntry], wanted: Sequence[HistoryEntry], endpoint: str
) -> str:
    """What happened to a server as a page, with the document after each event that is ``wanted``.

    Raises `InvalidInput` for too many events.
    """
    _require_few(wanted)
    story = Story(whole[0].server_id, [entry.recorded for entry in whole], 0)
    positions = {entry.position for entry in wanted}
    rows = (row for row, one in enumerate(story.recorded, start=1) if one.position in positions)
    moments = [story.moment(row) for row in rows]
    return _history(story.name, moments, story, endpoint)


def log_file(entries: Sequence[HistoryEntry], title: str) -> str:
    """Events of many servers as a page. Raises `InvalidInput` for too many."""
    _require_few(entries)
    moments = [Moment(row, entry, None, False) for row, entry in enumerate(entries, start=1)]
    return _history(title, moments, None, "")


def _history(title: str, moments: list[Moment], story: Story | None, endpoint: str) -> str:
    has_documents = story is not None and len(moments) <= MOST_DOCUMENTS
    documents = [
        document_lines(one.after, [change.path for change in one.entry.changes], endpoint)
        if has_documents
        else None
        for one in moments
    ]
    return _file(
        "history_file.html",
        title=title,
        moments=moments,
        # Of many servers a position alone tells an event.
        anchors=[one.anchor if story else f"position={one.entry.position}" for one in moments],
        story=story,
        drawn=None if story is None else picture(story),
        has_documents=has_documents,
        documents=documents,
    )


def _require_few(entries: Sequence[HistoryEntry]) -> None:
    if len(entries) > MOST:
        raise InvalidInput(
            "--html", f"{len(entries)} events came, {MOST} are allowed: --limit N takes the latest"
        )


def _file(template: str, **shown: object) -> str:
    # Our own style, which the policy knows by its hash.
    style = Markup(_STYLE)
    return written(template, alone=True, visit=None, style=style, policy=_POLICY, **shown)
