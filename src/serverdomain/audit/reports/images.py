"""Which images a fleet ran over time, and which servers still run one."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import accumulate
from typing import Any

from msgspec import Struct, to_builtins
from sqlite_utils import Database

from serverdomain.audit.reports.months import every_month
from serverdomain.domain import limits
from serverdomain.domain.typed import typed
from serverdomain.projections.timeline import Timeline
from serverdomain.projections.timeline_rows import IMAGES

_QUERY = f"""
SELECT substr(occurred_at, 1, 7), server_id, image_before, image_after, occurred_at
FROM timeline WHERE {IMAGES} AND server_project_id = COALESCE(?, server_project_id)
ORDER BY occurred_at, position
"""


class ImageUse(Struct, frozen=True):
    """How many servers run an image now, the most at the end of a month, and at each such end."""

    image_id: str
    now: int
    most: int
    by_month: list[int]


class StillRuns(Struct, frozen=True):
    """A server that runs the image, and since when, in RFC 3339."""

    server_id: str
    since: str


class Images(Struct, frozen=True, kw_only=True):
    """The fleet by image, the most used image first, with a count for each month.

    ``servers`` are those that still run the image asked for, the longest first; ``None`` if none
    was asked for.
    """

    months: list[str]
    images: list[ImageUse]
    image_id: str | None = None
    servers: list[StillRuns] | None = None

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        members: dict[str, Any] = to_builtins(self)
        return members


@typed
def images(timeline: Timeline, image_id: str | None = None, *, of: str | None = None) -> Images:
    """Report on all images, and on the servers that still run one of them.

    With ``of``, only servers of this project count. Raises `InvalidInput` if ``image_id`` is no
    UUID, or ``of`` has no UTF-8 form.
    """
    limits.texts(of=of)
    asked = None if image_id is None else limits.canonical_uuid("image", image_id)
    return timeline.ask(lambda rows: _report(rows, asked, of))


def _report(rows: Database, asked: str | None, of: str | None) -> Images:
    # The changes of each month, summed up below: most images change in few months.
    by_month: defaultdict[str, Counter[str]] = defaultdict(Counter)
    running: dict[str, str] = {}
    for month, server_id, before, after, occurred_at in rows.execute(_QUERY, (of,)):
        changed = by_month[month]
        if before is not None:
            changed[before] -= 1
        if after is not None:
            changed[after] += 1
        if after == asked:
            running[server_id] = occurred_at
        elif before == asked:
            running.pop(server_id, None)
    months = every_month(by_month)
    uses = []
    for image in set[str]().union(*by_month.values()):
        at_ends = list(accumulate(by_month[month][image] for month in months))
        uses.append(ImageUse(image, at_ends[-1], max(at_ends), at_ends))
    uses.sort(key=lambda use: (-use.now, -use.most, use.image_id))
    return Images(
        months=months,
        images=uses,
        image_id=asked,
        servers=None if asked is None else [StillRuns(*one) for one in running.items()],
    )
