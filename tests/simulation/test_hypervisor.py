"""The simulated hypervisor: everything under way is finished, once, at its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from serverdomain import (
    Actor,
    Context,
    CreateServer,
    InvalidInput,
    RebuildServer,
    Server,
    Servers,
)
from serverdomain.domain.events import RebuildRequested, ServerRegistered
from serverdomain.simulation.hypervisor import SimulatedHypervisor
from serverdomain.simulation.rebuild_course import Trouble
from serverdomain.testing import ManualClock
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, OTHER, SERVER, adopted

ADMIN = Actor("admin", "admin", ("admin",))
SECONDS = 20


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def servers(new_log: Callable[[], str], clock: ManualClock) -> Iterator[Servers]:
    with Servers.open(new_log(), clock=clock) as opened:
        opened.register(adopted())
        opened.register(adopted(OTHER, name="other"))
        yield opened


def rebuild(servers: Servers, server_id: str = SERVER, request_id: str = "req-1") -> None:
    servers.rebuild(server_id, RebuildServer(image_id=NEW_IMAGE), Context(request_id=request_id))


def later(clock: ManualClock, seconds: float) -> datetime:
    return clock.now + timedelta(seconds=seconds)


def told(servers: Servers, server_id: str = SERVER) -> list[str]:
    return [entry.name for entry in servers.history(server_id)]


def test_a_rebuild_is_reported_on_and_done_at_its_time(
    servers: Servers, clock: ManualClock
) -> None:
    with SimulatedHypervisor(servers, 6) as hypervisor:
        rebuild(servers)
        asked = clock.now
        hypervisor.advance(clock, later(clock, 3))
        assert (servers.get(SERVER).status, servers.get(SERVER).progress) == ("REBUILD", 50)
        hypervisor.advance(clock, later(clock, 60))

    assert (servers.get(SERVER).status, servers.get(SERVER).progress) == ("ACTIVE", 100)
    reports = [
        (entry.name, (entry.occurred_at - asked).total_seconds(), entry.caused_by)
        for entry in servers.history(SERVER)[3:]
    ]
    assert reports == [
        ("RebuildProgressed", 1.5, "req-1"),
        ("RebuildProgressed", 3, "req-1"),
        ("RebuildProgressed", 4.5, "req-1"),
        ("RebuildCompleted", 6, "req-1"),
    ]
    assert clock.now == asked + timedelta(seconds=63)


def test_a_create_is_built_after_as_long(servers: Servers, clock: ManualClock) -> None:
    with SimulatedHypervisor(servers, 6) as hypervisor:
        made = servers.create(CreateServer(name="web", image_id=IMAGE, flavor_id="1")).id
        hypervisor.advance(clock, later(clock, 5.9))
        assert servers.get(made).status == "BUILD"
        hypervisor.advance(clock, later(clock, 0.1))
        assert servers.get(made).status == "ACTIVE"


def test_many_are_under_way_at_once_and_each_ends_in_its_turn(
    servers: Servers, clock: ManualClock
) -> None:
    with SimulatedHypervisor(servers, 6) as hypervisor:
        rebuild(servers, SERVER, "req-1")
        hypervisor.advance(clock, later(clock, 1))
        rebuild(servers, OTHER, "req-2")
        hypervisor.advance(clock, later(clock, 5))
        assert [servers.get(one).status for one in (SERVER, OTHER)] == ["ACTIVE", "REBUILD"]
        hypervisor.advance(clock, later(clock, 1))
        assert servers.get(OTHER).status == "ACTIVE"


def test_with_no_seconds_it_is_done_at_once_and_the_answer_still_said_rebuild(
    servers: Servers, clock: ManualClock
) -> None:
    with SimulatedHypervisor(servers, 0):
        accepted = servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE))
        assert accepted.server.status == "REBUILD"
        until(servers, "ACTIVE")
    assert told(servers)[1:] == ["RebuildRequested", "ImageChanged", "RebuildCompleted"]


def test_what_was_under_way_before_it_began_is_finished_counted_from_when_it_was_asked(
    servers: Servers, clock: ManualClock
) -> None:
    rebuild(servers)
    made = servers.create(CreateServer(name="web", image_id=IMAGE, flavor_id="1")).id
    asked = clock.now
    clock.advance(4)
    with SimulatedHypervisor(servers, 6) as hypervisor:
        hypervisor.advance(clock, asked + timedelta(seconds=5.9))
        assert [servers.get(one).status for one in (SERVER, made)] == ["REBUILD", "BUILD"]
        hypervisor.advance(clock, asked + timedelta(seconds=6))
        assert [servers.get(one).status for one in (SERVER, made)] == ["ACTIVE", "ACTIVE"]


def test_one_that_takes_over_reports_nothing_twice(servers: Servers, clock: ManualClock) -> None:
    rebuild(servers)
    for seconds in (2, 1, 2, 1):
        with SimulatedHypervisor(servers, 6) as hypervisor:
            hypervisor.advance(clock, later(clock, seconds))
    assert told(servers)[3:] == [*["RebuildProgressed"] * 3, "RebuildCompleted"]


def test_a_late_report_of_a_rebuild_that_was_reset_finishes_nothing(
    servers: Servers, clock: ManualClock
) -> None:
    with SimulatedHypervisor(servers, 6) as hypervisor:
        rebuild(servers, SERVER, "req-1")
        hypervisor.advance(clock, later(clock, 4))
        servers.reset_state(SERVER, "ACTIVE", Context(ADMIN))
        rebuild(servers, SERVER, "req-2")
        hypervisor.advance(clock, later(clock, 3))
        assert servers.get(SERVER).status == "REBUILD", "the first would have ended a second ago"
        hypervisor.advance(clock, later(clock, 3))

    completed = [entry.event for entry in servers.history(SERVER) if "Completed" in entry.name]
    assert [event.rebuild_id for event in completed] == ["req-2"]  # type: ignore[attr-defined]


def test_a_server_that_was_deleted_stays_so(servers: Servers, clock: ManualClock) -> None:
    with SimulatedHypervisor(servers, 6) as hypervisor:
        rebuild(servers)
        assert hypervisor.caught_up()
        servers.delete(SERVER)
        hypervisor.advance(clock, later(clock, 6))
    assert told(servers)[-1] == "ServerDeleted"


@pytest.mark.parametrize(
    ("trouble", "status", "image", "names"),
    [
        (Trouble("scheduling", 0), "ERROR", IMAGE, ["RebuildFailed", "ImageChanged"]),
        (
            Trouble("hypervisor", 60),
            "ERROR",
            NEW_IMAGE,
            [*["RebuildProgressed"] * 3, "RebuildFailed"],
        ),
        (Trouble("hang", 30), "REBUILD", NEW_IMAGE, ["RebuildProgressed"] * 2),
    ],
)
def test_trouble_comes_at_its_percentage(
    servers: Servers,
    clock: ManualClock,
    trouble: Trouble,
    status: str,
    image: str,
    names: list[str],
) -> None:
    asked: list[str] = []

    def of(server: Server) -> Trouble:
        asked.append(server.id)
        return trouble

    with SimulatedHypervisor(servers, 6, of) as hypervisor:
        rebuild(servers)
        hypervisor.advance(clock, later(clock, 3600))
    assert (servers.get(SERVER).status, servers.get(SERVER).image_id) == (status, image)
    assert told(servers)[3:] == names
    assert asked == [SERVER]
    if "RebuildProgressed" in names:
        assert servers.get(SERVER).progress == trouble.at


def test_a_rebuild_whose_server_is_told_of_last_is_finished_too(
    servers: Servers, clock: ManualClock
) -> None:
    """`record` takes facts in any order: the beginning of a server may come after its rebuild."""
    imported = "4b9b2b9e-6c0a-4a4e-9d5f-0d2f2d3c4b5a"
    before = clock.now - timedelta(days=1)
    with SimulatedHypervisor(servers, 6) as hypervisor:
        servers.record(imported, [RebuildRequested("req-theirs", NEW_IMAGE, "given")])
        assert hypervisor.caught_up()
        beginning = servers.history(SERVER)[0].event
        assert isinstance(beginning, ServerRegistered)
        servers.record(
            imported,
            [ServerRegistered(**(members(beginning) | {"server_id": imported}))],
            occurred_at=before,
        )
        hypervisor.advance(clock, later(clock, 6))
    assert servers.get(imported).status == "ACTIVE"


def test_time_that_the_machine_tells_ends_a_rebuild_too() -> None:
    with Servers.open("memory:") as servers, SimulatedHypervisor(servers, 0.05):
        servers.register(adopted())
        rebuild(servers)
        until(servers, "ACTIVE")


def test_of_two_on_one_log_the_other_takes_over(kept_url: str) -> None:
    url = kept_url
    with closing(Servers.open(url)) as one, closing(Servers.open(url)) as other:
        one.register(adopted())
        first = SimulatedHypervisor(one, 3600)
        assert first.caught_up()
        rebuild(other)
        with SimulatedHypervisor(other, 0):
            first.stop()
            until(one, "ACTIVE")


def test_one_that_had_stopped_looks_again_when_it_is_started(
    servers: Servers, clock: ManualClock
) -> None:
    def fails(server: Server) -> None:
        raise RuntimeError("no dice")

    rebuild(servers)
    with SimulatedHypervisor(servers, 6, fails) as broken:
        assert not broken.caught_up()
    with SimulatedHypervisor(servers, 6) as hypervisor:
        hypervisor.advance(clock, later(clock, 6))
    assert servers.get(SERVER).status == "ACTIVE"


def test_what_it_is_told_twice_it_reports_once(servers: Servers, clock: ManualClock) -> None:
    """Another of its name is told of the rebuild again: the place stands before the events."""
    hypervisor = SimulatedHypervisor(servers, 6)
    hypervisor.stop()
    rebuild(servers)
    with SimulatedHypervisor(servers, 6) as hypervisor:
        hypervisor.advance(clock, later(clock, 6))
    assert told(servers)[3:] == [*["RebuildProgressed"] * 3, "RebuildCompleted"]


@pytest.mark.parametrize("seconds", [-1, 86_401, float("nan")])
def test_a_rebuild_lasts_no_longer_than_a_day(servers: Servers, seconds: float) -> None:
    with pytest.raises(InvalidInput, match="rebuild_seconds"):
        SimulatedHypervisor(servers, seconds)


def until(servers: Servers, status: str) -> None:
    assert any(server.status == status for server in servers.follow(SERVER, SECONDS))


def members(event: ServerRegistered) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}
