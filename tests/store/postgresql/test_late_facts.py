"""Facts that are recorded in bulk, however late, stand behind the others of their server."""

from __future__ import annotations

from datetime import UTC, datetime

from serverdomain import Servers
from serverdomain.domain import events as e
from serverdomain.testing.store_contract import SERVER, adopted, under

EARLY, LATE = (datetime(2012, month, 1, tzinfo=UTC) for month in (1, 2))


def a_story(servers: Servers) -> tuple[int, int]:
    with servers.bulk() as bulk:
        bulk.register(adopted(), under("req-1"), occurred_at=LATE)
        bulk.record(SERVER, [e.ServerRenamed("late")], under("req-2"), occurred_at=EARLY)
        bulk.rename(SERVER, "a", under("req-3"), occurred_at=LATE)
        bulk.record(SERVER, [e.ServerStopped()], under("req-4"), occurred_at=LATE)
        bulk.record(SERVER, [e.ServerStopped()], under("req-4"), occurred_at=LATE)
        bulk.start(SERVER, under("req-5"), occurred_at=LATE)
    return bulk.recorded, bulk.repeated


def test_facts_among_commands_are_what_the_next_ones_are_decided_on(log_url: str) -> None:
    with Servers.open(log_url) as servers:
        assert a_story(servers) == (5, 1)
        assert [entry.version for entry in servers.history(SERVER)] == [2, 1, 3, 4, 5]
        assert (servers.get(SERVER).name, servers.get(SERVER).status) == ("a", "ACTIVE")
        assert a_story(servers) == (0, 6)
