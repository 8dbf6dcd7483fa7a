"""Where a reaction stands, kept in the database: not over what another did, nor past its lease."""

from __future__ import annotations

from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.leases import Fence
from serverdomain.store.postgresql.reading import PostgreSQLReading

# Who slept past its lease keeps no place, and nobody does in a log that went elsewhere.
_MINE = (
    "(%s OR EXISTS (SELECT 1 FROM {schema}.leases WHERE name = %s AND holder = %s AND fence = %s))"
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
    log: PostgreSQLReading, place: Bookmark, instead_of: Bookmark | None, fence: Fence | None
) -> bool:
    """Keep a place instead of the one that was seen; whether it was, and the ``fence`` holds."""
    why = None if place.why is None else place.why.replace("\0", "\\0")
    kept = (place.name, place.position, place.stopped_at, why)
    mine = (fence is None, place.name, *(fence or ("", 0)))
    query, values = _PUT, [*kept, *mine]
    if instead_of is not None:
        seen = (instead_of.name, instead_of.position, instead_of.stopped_at, instead_of.why)
        query, values = _MOVE, [*kept[1:], *seen, *mine]
    return log.connection.execute(in_schema(query, log.schema), values).rowcount == 1
