"""How long rebuilds take, where they fail, and which never ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field, to_builtins
from sqlite_utils import Database

from serverdomain.audit.reports.calls import rebuild_calls
from serverdomain.audit.reports.months import every_month
from serverdomain.domain import limits
from serverdomain.domain.typed import typed
from serverdomain.projections.timeline import Timeline
from serverdomain.projections.timeline_rows import REBUILDS, REPLACED

NEVER = "never"
"""The end of a rebuild that nothing ended."""

Seconds = defaultdict[str, list[float]]
"""The seconds that rebuilds took, by how they ended."""

_PERCENTILES = (50, 90, 99, 100)

# A rebuild is one row or two: its request, which has a host, and its end.
_COLUMNS = """
    MAX(ended),
    86400 * (julianday(MAX(occurred_at)) - julianday(MIN(occurred_at))),
    MAX(image_id),
    MAX(host_id) AS host_id,
    MIN(occurred_at),
    server_id,
    rebuild_id,
    MAX(CASE WHEN host_id IS NOT NULL THEN user_id END),
    MAX(server_project_id),
    MAX(CASE WHEN host_id IS NOT NULL THEN position END),
    COUNT(host_id) AS requests
"""
_QUERY = f"""
SELECT {_COLUMNS} FROM timeline WHERE {REBUILDS} GROUP BY rebuild_id, server_id HAVING requests > 0
"""

# What was recorded can say that one was asked for again under its id: each time is a rebuild.
_EACH = f"""
SELECT {_COLUMNS} FROM (
    SELECT *, COUNT(host_id) OVER (ORDER BY occurred_at, position) AS number
    FROM timeline WHERE {REBUILDS} AND rebuild_id = ? AND server_id = ?
) GROUP BY number
"""

# The end of one rebuild is the request for another: there are few of these.
_REPLACED = f"""
SELECT replaced, server_id, occurred_at, position FROM timeline WHERE {REPLACED}
ORDER BY occurred_at, position
"""


class Group(Struct, frozen=True):
    """The rebuilds of an image, on a host, by a user or in a project.

    How many there were, how many of them failed, and how long they took:
    ``seconds`` are percentiles (``p50``, …, ``p100``) of those that completed.
    """

    id: str
    requested: int
    failed: int
    seconds: dict[str, float]


class NeverEnded(Struct, frozen=True):
    """A rebuild that nothing ended; ``requested_at`` in RFC 3339."""

    server_id: str
    rebuild_id: str
    image_id: str
    requested_at: str


class Rebuilds(Struct, frozen=True, kw_only=True):
    """All rebuilds of a log, and how each ended.

    ``outcomes`` counts them: completed, failed, reset, replaced, deleted and never. ``by_month``
    does so for each month in which they were requested. ``by_image``, ``by_host``, ``by_user`` (who
    requested them) and ``by_project`` (of the server), those where most failed first, and
    ``never_ended`` (oldest first) hold as many as were asked for.
    """

    requested: int
    outcomes: dict[str, int]
    seconds: dict[str, float]
    by_month: dict[str, dict[str, int]]
    by_image: list[Group]
    by_host: list[Group]
    by_user: list[Group]
    by_project: list[Group]
    never_ended: list[NeverEnded]
    calls: dict[str, int] = field(default_factory=dict)
    """Rebuilds that were asked for as another source says (`CallReported`), by how they ended."""
    durations: list[float] = field(default_factory=list)
    """Seconds of every one that completed, the shortest first."""

    def as_json(self) -> dict[str, Any]:
        """The report as plain values, without the single durations; ``calls`` if there are any."""
        members: dict[str, Any] = to_builtins(self)
        del members["durations"]
        if not self.calls:
            del members["calls"]
        return members


@typed
def rebuilds(
    timeline: Timeline, limit: int = 10, *, by: str | None = None, of: str | None = None
) -> Rebuilds:
    """Report on all rebuilds, or on those ``by`` a user and ``of`` a project's servers.

    Each group has at most ``limit`` lines. Raises `InvalidInput` for text without a UTF-8 form.
    """
    limits.texts(by=by, of=of)
    return timeline.ask(lambda rows: _report(rows, limit, by, of))


def _report(rows: Database, limit: int, by: str | None, of: str | None) -> Rebuilds:
    ends: defaultdict[str, Counter[str]] = defaultdict(Counter)
    groups = [defaultdict[str, Seconds](lambda: defaultdict(list)) for _ in range(4)]
    durations: list[float] = []
    never: list[NeverEnded] = []
    # When each was replaced the last time.
    replaced = {(name, server): (at, place) for name, server, at, place in rows.execute(_REPLACED)}
    for row in _each(rows):
        ended, seconds, image, host, requested_at, server_id, rebuild_id, user, project, place = row
        if (by is not None and user != by) or (of is not None and project != of):
            continue
        if ended is None:
            last = replaced.get((rebuild_id, server_id))
            ended = NEVER if last is None or last < (requested_at, place) else "replaced"
        ends[requested_at[:7]][ended] += 1
        for group, name in zip(groups, (image, host, user, project), strict=True):
            group[name][ended].append(seconds)
        if ended == "completed":
            durations.append(seconds)
        elif ended == NEVER:
            never.append(NeverEnded(server_id, rebuild_id, image, requested_at))
    by_month = {month: dict(sorted(ends[month].items())) for month in every_month(ends)}
    outcomes: Counter[str] = Counter()
    for counts in by_month.values():
        outcomes.update(counts)
    durations.sort()
    by_image, by_host, by_user, by_project = (_worst(group, limit) for group in groups)
    return Rebuilds(
        requested=outcomes.total(),
        outcomes=dict(outcomes.most_common()),
        seconds=percentiles(durations),
        by_month=by_month,
        by_image=by_image,
        by_host=by_host,
        by_user=by_user,
        by_project=by_project,
        never_ended=sorted(never, key=lambda one: one.requested_at)[:limit],
        calls=rebuild_calls(rows, by, of),
        durations=durations,
    )


def _each(rows: Database) -> Iterator[tuple[Any, ...]]:
    for *row, requests in rows.execute(_QUERY):
        if requests == 1:
            yield tuple(row)
            continue
        for *one, _ in rows.execute(_EACH, (row[6], row[5])).fetchall():
            yield tuple(one)


def percentiles(seconds: Iterable[float]) -> dict[str, float]:
    """The reported percentiles, by the nearest rank; none of no values."""
    ranked = sorted(seconds)
    if not ranked:
        return {}
    return {f"p{each}": round(_nearest(ranked, each), 1) for each in _PERCENTILES}


def _nearest(ranked: Sequence[float], percentile: int) -> float:
    return ranked[-(-percentile * len(ranked) // 100) - 1]


def _worst(rebuilds: Mapping[str, Seconds], limit: int) -> list[Group]:
    """Those where most failed; of equals, those where the share is larger."""
    groups = [
        Group(
            name, sum(map(len, ends.values())), len(ends["failed"]), percentiles(ends["completed"])
        )
        for name, ends in rebuilds.items()
    ]
    return sorted(groups, key=lambda group: (-group.failed, group.requested, group.id))[:limit]
