"""The places of reactions in PostgreSQL: no facts, so they may be updated, by who is at work."""

from __future__ import annotations

from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.postgresql.connections import Connections

# Who slept past its lease keeps no place, and nobody does in a log that went elsewhere.
_MINE = (
    "(%s OR EXISTS (SELECT 1 FROM {schema}.leases WHERE name = %s AND fence = %s))"
    " AND NOT EXISTS (SELECT 1 FROM {schema}.head WHERE moved_to IS NOT NULL)"
)
_PUT = (
    "INSERT INTO {schema}.reactions (name, position, stopped_at, why)"
    f" SELECT %s, %s, %s, %s WHERE {_MINE} ON CONFLICT (name) DO NOTHING"
)
_MOVE = (
    "UPDATE {schema}.reactions SET position = %s, stopped_at = %s, why = %s"
    " WHERE name = %s AND position = %s AND stopped_at IS NOT DISTINCT FROM %s"
    f" AND why IS NOT DISTINCT FROM %s AND {_MINE}"
)


def keep(
    connections: Connections, place: Bookmark, instead_of: Bookmark | None, fence: int | None
) -> bool:
    """Keep a place that still stands where it was seen, for who has this fence; whether it did.

    Without a fence nobody is at work: somebody resumes the reaction, or skips an event.
    """
    why = None if place.why is None else place.why.replace("\0", "\\0")
    kept = (place.name, place.position, place.stopped_at, why)
    mine = (fence is None, place.name, fence)
    values: tuple[object, ...] = (*kept, *mine)
    query = _PUT
    if instead_of is not None:
        seen = (instead_of.name, instead_of.position, instead_of.stopped_at, instead_of.why)
        query, values = _MOVE, (*kept[1:], *seen, *mine)
    with connections.errors(), connections.asked() as (connection, _):
        return connection.execute(connections.in_schema(query), values).rowcount == 1
