"""Actions: what was asked of a server, by Nova's names, and how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from serverdomain import Actor, Context, CreateServer, NotFound, RebuildServer, Refused, Servers
from serverdomain.audit.actions import Action, End, Step, ends
from serverdomain.domain.events import RebuildCompleted, RebuildRequested, ServerBuilt, StateReset
from serverdomain.domain.moment import to_micros
from serverdomain.testing import ADMIN, ManualClock, registered

pytestmark = pytest.mark.core

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
OTHER = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
START = datetime(2026, 8, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def servers(new_log: Callable[[], str], clock: ManualClock) -> Iterator[Servers]:
    with Servers.open(new_log(), clock=clock) as servers:
        yield servers


@pytest.fixture
def web(servers: Servers) -> str:
    context = Context(Actor("fake", "openstack"), request_id="req-create")
    command = CreateServer(name="web", image_id=IMAGE, flavor_id="1")
    server_id = servers.create(command, context).id
    servers.report_built(server_id)
    return server_id


def test_an_action_says_who_when_and_each_step_of_its_way(
    servers: Servers, clock: ManualClock, web: str
) -> None:
    clock.advance(SECOND)
    context = Context(Actor("carol", "openstack"), request_id="req-1")
    servers.rebuild(web, RebuildServer(image_id=IMAGE), context)
    under_way = servers.actions(web)[0]
    assert (under_way.steps[0].finished, under_way.steps[0].result) == (None, None)
    clock.advance(SECOND)
    servers.complete_rebuild(web)

    asked, done = START + SECOND, START + 2 * SECOND
    assert servers.actions(web) == [
        Action(
            name="rebuild",
            server_id=web,
            request_id="req-1",
            user_id="carol",
            project_id="openstack",
            started=asked,
            steps=(
                Step("compute_rebuild_instance", asked, done, "Success"),
                Step("rebuild_server", asked, asked, "Success"),
            ),
        ),
        Action(
            name="create",
            server_id=web,
            request_id="req-create",
            user_id="fake",
            project_id="openstack",
            started=START,
            steps=(Step("compute__do_build_and_run_instance", START, START, "Success"),),
        ),
    ]


def test_an_action_failed_if_a_step_of_it_did(servers: Servers, web: str) -> None:
    servers.rebuild(web, RebuildServer(image_id=IMAGE))
    servers.fail_rebuild(web, "disk full")
    assert [action.failed for action in servers.actions(web)] == [True, False]


def test_what_was_refused_is_no_action(servers: Servers, web: str) -> None:
    with pytest.raises(Refused):
        servers.start(web)
    assert [action.name for action in servers.actions(web)] == ["create"]


def test_of_a_server_that_is_not_there_or_another_projects_nothing_is_told(
    servers: Servers, web: str
) -> None:
    assert servers.actions(web, project_id="openstack")
    with pytest.raises(NotFound):
        servers.actions(web, project_id="another")
    with pytest.raises(NotFound):
        servers.actions("155d900f-4e14-4e4c-a73d-069cbf4541e6")
    servers.delete(web)
    with pytest.raises(NotFound):
        servers.actions(web)


def test_of_rebuilds_told_from_elsewhere_the_replaced_one_failed(
    servers: Servers, web: str
) -> None:
    told = [
        RebuildRequested("r1", IMAGE, "given"),
        RebuildRequested("r2", IMAGE, "given"),
        RebuildCompleted("r2"),
    ]
    for fact in told:
        servers.record(web, [fact])

    found = ends(entry.recorded for entry in servers.history(web))

    assert {name: (end.result, end.stage) for name, end in found.items()} == {
        "req-create": ("Success", "hypervisor"),
        "r1": ("Error", "hypervisor"),
        "r2": ("Success", "hypervisor"),
    }


def test_of_a_server_that_nobody_created_here_no_build_ends(servers: Servers) -> None:
    server_id = registered().server_id
    for fact in (registered(), ServerBuilt(), StateReset("ERROR")):
        servers.record(server_id, [fact])
    assert ends(entry.recorded for entry in servers.history(server_id)) == {}


def test_what_a_rebuild_changes_on_its_way_does_not_end_it(servers: Servers, web: str) -> None:
    servers.rebuild(web, RebuildServer(image_id=OTHER, name="new"), Context(request_id="r1"))
    servers.record(web, [RebuildRequested("r1", OTHER, "given")])
    assert [*ends(entry.recorded for entry in servers.history(web))] == ["req-create"]


def test_a_build_ends_once(servers: Servers, clock: ManualClock, web: str) -> None:
    clock.advance(SECOND)
    servers.record(web, [StateReset("ERROR")])
    found = ends(entry.recorded for entry in servers.history(web))
    assert found == {"req-create": End(to_micros(START), "Success")}


def test_where_no_host_was_found_nothing_but_that_was_done(
    servers: Servers, clock: ManualClock, web: str
) -> None:
    servers.rebuild(web, RebuildServer(image_id=IMAGE))
    clock.advance(SECOND)
    servers.fail_rebuild(web, "no valid host", "scheduling")
    assert servers.actions(web)[0].steps == (
        Step("rebuild_server", START, START + SECOND, "Error"),
    )


def test_a_build_that_was_reset_failed_and_what_is_reset_later_ends_no_build(
    servers: Servers, clock: ManualClock, web: str
) -> None:
    command = CreateServer(name="never", image_id=IMAGE, flavor_id="1")
    never = servers.create(command, Context(request_id="req-never")).id
    clock.advance(SECOND)
    for server_id in (never, web):
        servers.reset_state(server_id, "ERROR", Context(ADMIN))
    built = "compute__do_build_and_run_instance"
    assert servers.actions(never)[-1].steps == (Step(built, START, START + SECOND, "Error"),)
    assert servers.actions(web)[-1].steps == (Step(built, START, START, "Success"),)


def test_what_is_done_at_once_is_one_step_by_novas_name(servers: Servers, web: str) -> None:
    servers.stop(web)
    servers.start(web)
    servers.lock(web, Context(ADMIN))
    servers.unlock(web, Context(ADMIN))
    servers.reset_state(web, "ERROR", Context(ADMIN))
    servers.rename(web, "no action of Nova's")
    assert [(one.name, one.steps) for one in reversed(servers.actions(web)[:-1])] == [
        ("stop", (Step("compute_stop_instance", START, START, "Success"),)),
        ("start", (Step("compute_start_instance", START, START, "Success"),)),
        ("lock", (Step("api_lock", START, START, "Success"),)),
        ("unlock", (Step("api_unlock", START, START, "Success"),)),
        ("resetState", ()),
    ]
