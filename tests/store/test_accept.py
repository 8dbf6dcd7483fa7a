"""The way of a command into the log, where no engine matters: one in lists takes it in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from serverdomain import NotFound, Refused, RequestIdTaken, Servers
from serverdomain.domain import moment
from serverdomain.domain.commands import RecordFacts, StopServer
from serverdomain.domain.events import Event, ServerRenamed, ServerStopped
from serverdomain.store import accept
from serverdomain.store.request import Outcome, Request
from serverdomain.testing import ManualClock
from serverdomain.testing.store_contract import OTHER, SERVER, adopted, under
from tests.store.list_log import ListLog


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def servers(clock: ManualClock) -> Iterator[Servers]:
    """A server of the project ``openstack``."""
    with Servers(ListLog(), clock) as servers:
        servers.register(adopted(), under("req-register"))
        clock.advance(60)
        yield servers


def test_a_server_of_another_project_is_not_there(servers: Servers) -> None:
    with pytest.raises(NotFound) as no:
        servers.stop(SERVER, project_id="another")
    assert str(no.value) == f"server {SERVER} is not there"
    assert [entry.name for entry in servers.history(SERVER)] == ["ServerRegistered"]

    assert servers.stop(SERVER, project_id="openstack").server.status == "SHUTOFF"


def test_of_a_command_on_another_projects_server_a_retry_is_told_nothing(servers: Servers) -> None:
    first = servers.stop(SERVER, under("req-1"), project_id="openstack")

    with pytest.raises(RequestIdTaken) as taken:
        servers.stop(SERVER, under("req-1"), project_id="another")
    assert str(taken.value) == "request id req-1 is taken by another command"
    for project_id in ("openstack", None):
        again = servers.stop(SERVER, under("req-1"), project_id=project_id)
        assert (again.replayed, again.server) == (True, first.server)


def test_facts_before_their_beginning_are_retried_for_a_project_too(servers: Servers) -> None:
    facts = [ServerRenamed("early")]
    first = servers.record(OTHER, facts, under("req-1"), project_id="openstack")

    again = servers.record(OTHER, facts, under("req-1"), project_id="openstack")

    assert (again.server, again.position, again.replayed) == (None, first.position, True)


def test_a_late_fact_at_the_time_of_another_stands_behind_it(
    servers: Servers, clock: ManualClock
) -> None:
    servers.rename(SERVER, "now")
    begun = clock.now - timedelta(seconds=60)

    late = servers.record(SERVER, [ServerRenamed("before"), ServerStopped()], occurred_at=begun)

    assert late.server == servers.get(SERVER)
    assert (late.server.name, late.server.status) == ("now", "SHUTOFF")


def test_what_is_refused_says_at_which_version(servers: Servers) -> None:
    servers.stop(SERVER)
    with pytest.raises(Refused) as no:
        servers.stop(SERVER)
    assert no.value.version == 2


# Facts of which nobody asks what they lead to

FACTS: tuple[Event, ...] = (ServerRenamed("one"), ServerStopped(), ServerRenamed("three"))
AT = 1_000_000


def told(clock: ManualClock, request_id: str = "req-1", **more: Any) -> Request:
    given: dict[str, Any] = {
        "server_id": SERVER,
        "command": RecordFacts(events=FACTS),
        "context": under(request_id),
        "now": moment.to_micros(clock.now, "now"),
        "occurred_at": AT,
        "answered": False,
    }
    return Request(**given | more)


def test_they_are_appended_behind_the_others_and_nothing_is_read(
    servers: Servers, clock: ManualClock
) -> None:
    now = moment.to_micros(clock.now, "now")
    behind, later = servers._log.accept_many(
        [told(clock, now=AT), told(clock, "req-2", command=RecordFacts(events=FACTS[:1]))]
    )
    assert behind == Outcome(server=None, events=FACTS, position=4, replayed=False)
    assert later == Outcome(server=None, events=FACTS[:1], position=5, replayed=False)
    with servers._log.reading() as log:
        first, *found = log.events(0, 10).events
    assert [(one.position, one.version, one.event) for one in found] == [
        (number, number, event) for number, event in enumerate((*FACTS, FACTS[0]), 2)
    ]
    command = found[0].command
    assert command.members == accept.members_of(RecordFacts(events=FACTS), AT)
    assert (command.server_id, command.request_id, command.occurred_at) == (SERVER, "req-1", AT)
    recorded = [one.command.recorded_at for one in found]
    assert recorded == [first.command.recorded_at] * 3 + [now]
    assert servers.history(SERVER)[0].name == "ServerRenamed"


def test_those_that_are_told_again_are_not_recorded_again_and_others_not_under_their_id(
    servers: Servers, clock: ManualClock
) -> None:
    servers._log.accept_many([told(clock)])
    again, other = servers._log.accept_many([told(clock), told(clock, occurred_at=AT + 1)])
    assert again == Outcome(server=None, events=(), position=None, replayed=True)
    assert isinstance(other, RequestIdTaken)
    assert len(servers.history(SERVER)) == 4


def test_those_too_far_ahead_are_refused(servers: Servers, clock: ManualClock) -> None:
    far = moment.to_micros(clock.now, "now") + accept.MOST_AHEAD + 1
    (refused,) = servers._log.accept_many([told(clock, occurred_at=far)])
    assert isinstance(refused, Refused)
    assert len(servers.history(SERVER)) == 1


@pytest.mark.parametrize(
    "asks",
    [
        {"answered": True},
        {"occurred_at": None},
        {"expected_version": 1},
        {"project_id": "openstack"},
        {"command": StopServer(), "occurred_at": None},
        {"command": StopServer(), "occurred_at": 2**52},
    ],
    ids=["an answer", "a time", "a version", "a project", "a rule", "a rule at a time"],
)
def test_whoever_asks_anything_is_told_of_the_server(
    servers: Servers, clock: ManualClock, asks: Any
) -> None:
    (outcome,) = servers._log.accept_many([told(clock, **{"now": 2**52} | asks)])
    assert isinstance(outcome, Outcome)
    assert outcome.server == servers.get(SERVER)
