"""A page of the log, folded: the servers that it leads to from those that were there before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from serverdomain.domain.server import Server, evolve
from serverdomain.projections.feed import FeedEvent
from serverdomain.store import queries
from serverdomain.store.sqlite import SQLiteStore


def fold_page(
    store: SQLiteStore,
    there: Mapping[str, Server | None],
    events: Sequence[FeedEvent],
    last: int,
) -> dict[str, Server | None]:
    """The servers that a page of events, up to position ``last``, leads to, by their ids.

    ``there`` has those that were there before it; who is not named in it is looked for in the log.
    """
    servers: dict[str, Server | None] = {}
    versions: dict[str, int] = {}
    anew: set[str] = set()
    for _, server_id, version, occurred_at, event in events:
        server = servers[server_id] if server_id in servers else there.get(server_id)
        # A late fact takes its place among the others; and a server without a row may have a past,
        # deleted or not yet begun. Both are folded from the log again.
        if version > 1 if server is None else occurred_at < server.updated:
            anew.add(server_id)
        servers[server_id] = evolve(server, event, occurred_at)
        versions[server_id] = version
    with store.connections.reading() as log:
        for server_id in anew:
            servers[server_id] = queries.stream(log, server_id, last).server
    for server_id in servers.keys() - anew:
        server = servers[server_id]
        servers[server_id] = server and replace(server, version=versions[server_id])
    return servers
