"""An engine of a user's own: it keeps what every log promises, and `Servers` does all with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from serverdomain import AsOf, Conflict, Context, RebuildServer, Refused, Servers
from serverdomain.audit.reports import rebuilds
from serverdomain.domain.commands import StopServer
from serverdomain.domain.events import ServerRenamed
from serverdomain.simulation.fleet import generate
from serverdomain.store.log import LARGEST, Log
from serverdomain.store.opening import open_log
from serverdomain.testing import LogContract, ManualClock
from serverdomain.testing.store_contract import NEW_IMAGE, OTHER, SERVER, adopted, under
from tests.house.imports import ROOT, imports_of
from tests.store.list_log import ListLog

SECONDS = 60


class TestInLists(LogContract):
    def open(self, tmp_path: Path) -> ListLog:
        return ListLog()

    def open_backup(self, path: Path) -> ListLog:
        return ListLog.of_backup(path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def servers(clock: ManualClock) -> Iterator[Servers]:
    """A rebuild, a refusal and a late fact of one server, and another server."""
    with Servers(ListLog(), clock) as servers:
        servers.register(adopted(), under("req-1"))
        servers.register(adopted(OTHER, name="other"), under("req-2"))
        clock.advance(60)
        servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE, name="new"), under("req-3"))
        with pytest.raises(Refused):
            servers.start(SERVER, under("req-4"))
        clock.advance(60)
        servers.complete_rebuild(SERVER)
        late = clock.now - timedelta(seconds=90)
        servers.record(SERVER, [ServerRenamed("late")], under("req-5"), occurred_at=late)
        yield servers


def test_it_knows_nothing_of_sqlite() -> None:
    modules = [one.module for one in imports_of(ROOT / "tests/store/list_log.py")]
    assert "serverdomain.store.log" in modules
    assert [module for module in modules if "sqlite" in module] == []


def test_servers_are_listed_and_searched_from_a_view_in_memory(servers: Servers) -> None:
    assert servers.list() == [servers.get(OTHER), servers.get(SERVER)]
    assert servers.list(name="new") == [servers.get(SERVER)]
    servers.rename(OTHER, "newer")
    assert len(servers.list(name="new")) == 2
    servers.view.replay()
    assert servers.view.path is None
    assert servers.view.status() == (9, 9, 0, 2)


def test_its_timeline_is_searched_and_reported_on(servers: Servers) -> None:
    found = list(servers.timeline.search(server_id=SERVER))
    assert [entry.position for entry in found] == [1, 8, 3, 4, 5, 6, 7]
    assert [one.name for one in servers.timeline.search(request="req-4")] == ["CommandRefused"]
    report = rebuilds(servers.timeline)
    assert (report.requested, report.outcomes["completed"]) == (1, 1)


def test_it_is_seen_as_of_a_moment_compared_and_supposed_otherwise(
    servers: Servers, clock: ManualClock
) -> None:
    was = servers.get(SERVER, as_of=AsOf(position=6))
    assert (was.status, was.name, servers.get(SERVER).status) == ("REBUILD", "new", "ACTIVE")
    paths = [change.path for change in servers.diff(SERVER).changes]
    assert "/image/id" in paths
    assert servers.diff_servers(SERVER, OTHER).changes
    since = servers.diff_fleet(AsOf(position=2))
    assert [one.after.server_id for one in since.servers] == [SERVER]
    supposed = servers.what_if(SERVER, drop=["req-3"])
    assert supposed.would_be is not None
    assert (supposed.would_be.name, supposed.would_be.status) == ("late", "ACTIVE")
    with servers.fleet(as_of=AsOf(position=3)) as fleet:
        assert {one.id: one.status for one in fleet.servers()} == {
            SERVER: "REBUILD",
            OTHER: "ACTIVE",
        }


def test_it_is_checked(servers: Servers) -> None:
    assert servers.check() == []


def test_a_checkpoint_is_signed_and_verified(servers: Servers, tmp_path: Path) -> None:
    made = servers.ledger.checkpoint(tmp_path / "key", tmp_path / "signed")
    servers.stop(OTHER)

    verdict = servers.ledger.verify(tmp_path / "signed", [tmp_path / "key"])

    assert (made.checkpoint.size, verdict.problems) == (8, ())
    assert (verdict.events, verdict.uncovered) == (9, 1)
    assert servers.ledger.prove(6, tmp_path / "signed")


def test_reactions_are_told_of_it(servers: Servers) -> None:
    told: list[str] = []

    with servers.react("names", lambda happened: told.append(happened.name)) as reaction:
        servers.command(OTHER, StopServer(), Context())
        assert reaction.caught_up(SECONDS)
    with servers.react("all", lambda happened: told.append(happened.name), start="beginning") as it:
        assert it.caught_up(SECONDS)

    assert told[0] == "ServerStopped"
    assert len(told) == 1 + 8, "a refusal is not told"
    assert {place.name: place.position for place in servers.reactions()} == {"names": 9, "all": 9}


def test_it_is_forgotten(servers: Servers) -> None:
    assert len(servers.list()) == 2
    servers.forget()
    assert servers.list() == []
    assert servers.register(adopted()).position == 1


def test_a_fleet_that_is_generated_is_the_same_in_either_engine() -> None:
    def rows(log: Log) -> list[tuple[object, ...]]:
        generate(log, 5, seed=7)
        with pytest.raises(Conflict, match="an empty one is allowed"):
            generate(log, 5, seed=7)
        with log.reading() as reading:
            return [row for some in reading.rows() for row in some]

    with Servers(ours := ListLog()) as servers, Servers(theirs := open_log("memory:")) as others:
        assert rows(ours) == rows(theirs)
        assert servers.check() == []
        assert servers.list() == others.list()
        with servers.fleet() as fleet, others.fleet() as other_fleet:
            assert fleet.servers() == other_fleet.servers() == servers.list()
        with ours.reading() as here, theirs.reading() as there:
            assert here.facts(0, LARGEST) == there.facts(0, LARGEST)
            assert list(here.commands()) == list(there.commands())
            assert list(here.streams()) == list(there.streams())
