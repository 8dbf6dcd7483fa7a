"""Which metadata was lost in rebuilds: one that sends metadata replaces the whole map."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct, to_builtins
from sqlite_utils import Database

from serverdomain.audit.reports.months import every_month
from serverdomain.domain import limits
from serverdomain.domain.typed import typed
from serverdomain.projections.timeline import Timeline
from serverdomain.projections.timeline_rows import KEYS_LOST

_QUERY = f"""
SELECT occurred_at, server_id, user_id, request_id, keys_lost, server_project_id
FROM timeline WHERE {KEYS_LOST} ORDER BY occurred_at
"""

_keys = msgspec.json.Decoder(list[str]).decode


class KeyLost(Struct, frozen=True):
    """A key, how many rebuilds lost it on how many servers, and the last time, in RFC 3339."""

    key: str
    rebuilds: int
    servers: int
    last: str


class LostBy(Struct, frozen=True):
    """A user: how many rebuilds of theirs lost something, and how many keys in all."""

    user_id: str
    rebuilds: int
    keys: int


class LostOf(Struct, frozen=True):
    """A project: how many rebuilds of its servers lost something, and how many keys in all."""

    project_id: str
    rebuilds: int
    keys: int


class Loss(Struct, frozen=True):
    """One rebuild that lost keys, of a project's server; ``occurred_at`` in RFC 3339."""

    occurred_at: str
    server_id: str
    user_id: str
    request_id: str
    keys: list[str]
    project_id: str


class LostMetadata(Struct, frozen=True, kw_only=True):
    """Metadata lost in rebuilds: how many rebuilds lost some, and on how many servers.

    ``keys``, ``by_user`` and ``by_project`` (most first) and ``latest`` (latest first) have at most
    as many lines as were asked for; ``by_month`` counts rebuilds.
    """

    rebuilds: int
    servers: int
    by_month: dict[str, int]
    keys: list[KeyLost]
    by_user: list[LostBy]
    by_project: list[LostOf]
    latest: list[Loss]

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        members: dict[str, Any] = to_builtins(self)
        return members


@typed
def lost_metadata(
    timeline: Timeline, limit: int = 10, *, by: str | None = None, of: str | None = None
) -> LostMetadata:
    """Report on all metadata lost in rebuilds, with at most ``limit`` lines of each kind.

    Or on that lost in rebuilds ``by`` a user and ``of`` a project's servers. Raises `InvalidInput`
    for text without a UTF-8 form.
    """
    limits.texts(by=by, of=of)
    return timeline.ask(lambda rows: _report(rows, limit, by, of))


def _report(rows: Database, limit: int, by: str | None, of: str | None) -> LostMetadata:
    losses = [
        Loss(occurred_at, server_id, user_id, request_id, _keys(keys), project_id)
        for occurred_at, server_id, user_id, request_id, keys, project_id in rows.execute(_QUERY)
        if by in (None, user_id) and of in (None, project_id)
    ]
    by_project: defaultdict[str, list[Loss]] = defaultdict(list)
    by_key: defaultdict[str, list[Loss]] = defaultdict(list)
    by_user: defaultdict[str, list[Loss]] = defaultdict(list)
    for loss in losses:
        by_user[loss.user_id].append(loss)
        by_project[loss.project_id].append(loss)
        for key in loss.keys:
            by_key[key].append(loss)
    months = Counter(loss.occurred_at[:7] for loss in losses)
    return LostMetadata(
        rebuilds=len(losses),
        servers=len({loss.server_id for loss in losses}),
        by_month={month: months[month] for month in every_month(months)},
        keys=[
            KeyLost(key, len(those), len({loss.server_id for loss in those}), those[-1].occurred_at)
            for key, those in _most(by_key, limit)
        ],
        by_user=[LostBy(*counted) for counted in _counted(by_user, limit)],
        by_project=[LostOf(*counted) for counted in _counted(by_project, limit)],
        latest=losses[: -limit - 1 : -1],
    )


def _most(by_name: dict[str, list[Loss]], limit: int) -> list[tuple[str, list[Loss]]]:
    return sorted(by_name.items(), key=lambda one: (-len(one[1]), one[0]))[:limit]


def _counted(by_name: dict[str, list[Loss]], limit: int) -> Iterator[tuple[str, int, int]]:
    for name, those in _most(by_name, limit):
        yield name, len(those), sum(len(loss.keys) for loss in those)
