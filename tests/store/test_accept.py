"""The way of a command into the log, where no engine matters: one in lists takes it in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from serverdomain import NotFound, RequestIdTaken, Servers
from serverdomain.domain.events import ServerRenamed, ServerStopped
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
