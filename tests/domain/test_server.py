"""The one fold: what each event does to a server, and what no history can do."""

import re
from copy import deepcopy
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from serverdomain.domain.commands import STATES, RegisterServer
from serverdomain.domain.events import (
    EVENTS,
    AccessAddressesChanged,
    Address,
    DiskConfigChanged,
    Event,
    Fault,
    ImageChanged,
    MetadataReplaced,
    RebuildCompleted,
    RebuildFailed,
    RebuildProgressed,
    RebuildRequested,
    ServerBuilt,
    ServerDeleted,
    ServerLocked,
    ServerObserved,
    ServerRegistered,
    ServerRenamed,
    ServerStarted,
    ServerStopped,
    ServerUnlocked,
    StateReset,
)
from serverdomain.domain.server import Rebuild, Server, evolve, fold
from serverdomain.errors import ServerdomainError
from serverdomain.testing import OWNER, given, registered, strategies
from tests.domain.table import ANOTHER_IMAGE, IMAGE
from tests.domain.world import World

SERVER_ID = registered().server_id
REBUILDING = (registered(), RebuildRequested("req-1", IMAGE, "generated"))
STATUSES = {*STATES, "REBUILD"}


def changed(before: Server, after: Server | None) -> dict[str, object]:
    assert after is not None
    old = asdict(before)
    return {name: value for name, value in asdict(after).items() if value != old[name]}


# Beginnings


def test_a_registered_server_is_all_that_its_event_says() -> None:
    event = ServerRegistered(
        server_id=SERVER_ID,
        name="foobar",
        project_id="openstack",
        user_id="fake",
        image_id=IMAGE,
        flavor_id="1",
        state="ERROR",
        metadata={"meta var": "meta val"},
        addresses={"private": (Address("192.168.0.3", 4),)},
        access_ipv4="1.2.3.4",
        access_ipv6="fe80::100",
        host_id="host",
        progress=33,
        disk_config="AUTO",
        created=5,
        fault=Fault(500, 4, "disk full"),
    )
    assert evolve(None, event, 7) == Server(
        id=SERVER_ID,
        name="foobar",
        project_id="openstack",
        user_id="fake",
        image_id=IMAGE,
        flavor_id="1",
        state="ERROR",
        metadata={"meta var": "meta val"},
        addresses={"private": (Address("192.168.0.3", 4),)},
        access_ipv4="1.2.3.4",
        access_ipv6="fe80::100",
        host_id="host",
        progress=33,
        disk_config="AUTO",
        created_micros=5,
        updated_micros=7,
        fault=Fault(500, 4, "disk full"),
        locked_by=None,
        rebuild=None,
        deleted=False,
        version=0,
        launched_micros=7,
    )


def test_a_server_was_created_when_it_began_unless_its_event_says_otherwise() -> None:
    unsaid, said = evolve(None, registered(), 7), evolve(None, registered(created=0), 7)
    assert unsaid is not None
    assert said is not None
    assert (unsaid.created_micros, unsaid.updated_micros) == (7, 7)
    assert (said.created_micros, said.updated_micros) == (0, 7)


def test_a_servers_times_are_read_as_aware_datetimes_and_stored_as_they_always_were() -> None:
    server = evolve(None, registered(created=5, fault=Fault(500, 6, "disk full")), 7)
    assert server is not None
    assert server.fault is not None
    at = (server.created, server.fault.created, server.updated)
    assert at == tuple(datetime(1970, 1, 1, 0, 0, 0, micros, UTC) for micros in (5, 6, 7))
    stored = msgspec.to_builtins(server)
    assert list(stored)[14:17] == ["created", "updated", "fault"]
    assert (stored["created"], stored["updated"]) == (5, 7)
    assert stored["fault"] == {"code": 500, "created": 6, "message": "disk full"}


def test_of_a_server_first_observed_only_what_the_source_said_is_known() -> None:
    assert evolve(None, ServerObserved(server_id=SERVER_ID), 7) == Server(
        id=SERVER_ID,
        name="",
        project_id="",
        user_id="",
        image_id="",
        flavor_id="",
        state="ACTIVE",
        metadata={},
        addresses={},
        access_ipv4="",
        access_ipv6="",
        host_id="",
        progress=0,
        disk_config="MANUAL",
        created_micros=7,
        updated_micros=7,
        launched_micros=7,
    )
    given(
        ServerObserved(server_id=SERVER_ID, name="seen", state="SHUTOFF", created=3, progress=9)
    ).then_server(name="seen", status="SHUTOFF", created_micros=3, progress=9, user_id="")


def test_a_server_is_launched_once_it_is_no_longer_built() -> None:
    """When it is adopted, built, rebuilt, or seen elsewhere as being up."""
    building = evolve(None, registered(state="BUILD"), 1)
    assert building is not None
    assert building.launched_micros is None
    seen = evolve(None, ServerObserved(server_id=SERVER_ID, state="BUILD"), 1)
    assert seen is not None
    assert seen.launched_micros is None
    for event, launched in (
        (ServerBuilt(), 5),
        (ServerObserved(server_id=SERVER_ID, state="SHUTOFF"), 5),
        (ServerObserved(server_id=SERVER_ID, name="x"), None),
        (StateReset("ACTIVE"), None),
    ):
        after = evolve(building, event, 5)
        assert after is not None
        assert (after.launched_micros, after.updated_micros) == (launched, 5)
    for event in (ServerBuilt(), ServerObserved(server_id=SERVER_ID, state="SHUTOFF")):
        again = evolve(evolve(building, ServerBuilt(), 5), event, 9)
        assert again is not None
        assert again.launched_micros == 5


def test_what_a_source_reports_later_replaces_what_it_names() -> None:
    server = given(registered()).server
    assert server is not None
    seen = ServerObserved(
        server_id=SERVER_ID,
        name="seen",
        metadata={},
        state="ERROR",
        access_ipv4="",
        fault=Fault(500, 8, "seen"),
    )
    assert changed(server, evolve(server, seen, 9)) == {
        "name": "seen",
        "metadata": {},
        "state": "ERROR",
        "access_ipv4": "",
        "fault": Fault(500, 8, "seen"),
        "updated_micros": 9,
    }


@for_any(strategies.histories(), strategies.beginnings(), strategies.times())
def test_a_second_registration_moves_the_time_of_the_last_fact_and_nothing_else(
    history, again, at
) -> None:
    server = fold(history)
    assert server is not None
    assert evolve(server, again, at) == replace(server, updated_micros=at)


@for_any(strategies.events(), strategies.times())
def test_what_happens_before_the_beginning_happens_to_no_server(event: Event, at: int) -> None:
    begins = isinstance(event, ServerRegistered | ServerObserved)
    assert (evolve(None, event, at) is not None) == begins


def test_a_history_counts_from_its_beginning_whatever_came_before() -> None:
    given(ServerRenamed("early"), ServerDeleted(), registered()).then_server(
        name="foobar", status="ACTIVE", deleted=False
    )
    given(ServerRenamed("early")).then_no_server()


# Each event


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        (ServerBuilt(), {}),
        (
            RebuildRequested("req-2", ANOTHER_IMAGE, "given"),
            {"rebuild": Rebuild("req-2", IMAGE), "progress": 0},
        ),
        (ImageChanged(ANOTHER_IMAGE), {"image_id": ANOTHER_IMAGE}),
        (ServerRenamed("another"), {"name": "another"}),
        (MetadataReplaced({}), {"metadata": {}}),
        (
            AccessAddressesChanged("5.6.7.8", "::1"),
            {"access_ipv4": "5.6.7.8", "access_ipv6": "::1"},
        ),
        (AccessAddressesChanged(access_ipv4=""), {"access_ipv4": ""}),
        (AccessAddressesChanged(access_ipv6=""), {"access_ipv6": ""}),
        (DiskConfigChanged("AUTO"), {"disk_config": "AUTO"}),
        (ServerLocked("owner"), {"locked_by": "owner"}),
        (ServerLocked("admin"), {"locked_by": "admin"}),
        (ServerUnlocked(), {}),
        (ServerStopped(), {"state": "SHUTOFF"}),
        (ServerStarted(), {}),
        (StateReset("ERROR"), {"state": "ERROR"}),
        (StateReset("ACTIVE"), {}),
        (ServerDeleted(), {"deleted": True}),
        (RebuildProgressed("req-1", 40), {}),
        (RebuildCompleted("req-1"), {}),
        (RebuildFailed("req-1", "hypervisor", "no"), {}),
    ],
    ids=repr,
)
def test_an_event_changes_what_it_says_and_the_time_of_the_last_fact(event, changes) -> None:
    server = given(registered(progress=25)).server
    assert server is not None
    assert changed(server, evolve(server, event, 9)) == changes | {"updated_micros": 9}


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        (RebuildProgressed("req-1", 40), {"progress": 40}),
        (RebuildProgressed("req-1", 20), {}),
        (RebuildProgressed("req-2", 40), {}),
        (RebuildCompleted("req-1"), {"rebuild": None, "progress": 100, "launched_micros": 9}),
        (RebuildCompleted("req-1", 0), {"rebuild": None, "progress": 0, "launched_micros": 9}),
        (RebuildCompleted("req-2"), {}),
        (
            RebuildFailed("req-1", "hypervisor", "no"),
            {"rebuild": None, "state": "ERROR", "fault": Fault(500, 9, "no")},
        ),
        (RebuildFailed("req-2", "hypervisor", "no"), {}),
        (StateReset("ACTIVE"), {"rebuild": None}),
        (StateReset("ERROR"), {"rebuild": None, "state": "ERROR"}),
        (ServerDeleted(), {"rebuild": None, "deleted": True}),
        (ServerStopped(), {"state": "SHUTOFF"}),
        (
            RebuildRequested("req-2", IMAGE, "given"),
            {"rebuild": Rebuild("req-2", IMAGE)} | {"progress": 0},
        ),
    ],
    ids=repr,
)
def test_an_event_during_a_rebuild_changes_what_it_says(event, changes) -> None:
    server = given(*REBUILDING, RebuildProgressed("req-1", 30)).server
    assert server is not None
    assert server.progress == 30
    assert changed(server, evolve(server, event, 9)) == changes | {"updated_micros": 9}


@pytest.mark.parametrize(
    ("state", "after"),
    [("ACTIVE", "ACTIVE"), ("SHUTOFF", "SHUTOFF"), ("ERROR", "ACTIVE"), ("BUILD", "ACTIVE")],
)
def test_a_completed_rebuild_leaves_the_server(state: str, after: str) -> None:
    given(
        registered(state=state),
        RebuildRequested("req-1", IMAGE, "given"),
        RebuildCompleted("req-1"),
    ).then_server(status=after)


@pytest.mark.parametrize("state", ["ACTIVE", "SHUTOFF", "ERROR"])
def test_only_a_server_in_build_is_changed_by_being_built(state: str) -> None:
    given(registered(state=state), ServerBuilt()).then_server(status=state)
    given(registered(state="BUILD"), ServerBuilt()).then_server(status="ACTIVE")


def test_in_a_notebook_it_shows_each_member_under_its_id_and_version() -> None:
    server = given(registered()).server
    assert server is not None
    shown = server._repr_html_()
    assert f"<caption>server {server.id}, version {server.version}</caption>" in shown
    assert re.findall(r'<tr><td dir="auto">(\w+)</td>', shown) == list(server.to_dict())
    assert re.findall(r'<th dir="auto">(\w+)</th>', shown) == ["member", "value"]
    assert f'<td dir="auto">{server.name}</td>' in shown


def test_a_lock_is_gone_when_it_is_undone() -> None:
    given(registered(), ServerLocked("admin"), ServerUnlocked()).then_server(locked_by=None)


def test_the_image_to_go_back_to_is_the_one_before_the_rebuild() -> None:
    given(*REBUILDING, ImageChanged(ANOTHER_IMAGE)).then_server(
        image_id=ANOTHER_IMAGE, rebuild=Rebuild("req-1", IMAGE)
    )


@pytest.mark.parametrize("state", STATES)
def test_a_status_is_the_state_unless_a_rebuild_is_under_way(state: str) -> None:
    given(registered(state=state)).then_server(status=state)
    given(registered(state=state), RebuildRequested("r", IMAGE, "given")).then_server(
        status="REBUILD", state=state
    )


@for_any(strategies.histories(), st.lists(strategies.facts(), max_size=5), strategies.times())
def test_a_deleted_server_stays_deleted_whatever_follows(history, facts, at) -> None:
    deleted = fold([*history, (ServerDeleted(), at)])
    assert deleted is not None
    after = fold(facts, deleted)
    assert after == replace(deleted, updated_micros=facts[-1][1] if facts else at)
    assert after.deleted


# Any history


@for_any(st.lists(strategies.facts(), max_size=8))
def test_the_fold_takes_any_event_on_any_state_and_leaves_its_arguments_alone(facts) -> None:
    server: Server | None = None
    for event, at in facts:
        server_before, event_before = deepcopy(server), deepcopy(event)
        after = evolve(server, event, at)
        assert (server, event) == (server_before, event_before)
        assert after is None or (after.status in STATUSES and after.updated_micros == at)
        server = after


def test_every_event_is_among_those_that_any_history_is_made_of() -> None:
    found: set[str] = set()

    @settings(max_examples=500)
    @for_any(strategies.events())
    def look(event: Event) -> None:
        found.add(type(event).__name__)

    look()
    assert found == set(EVENTS) - {"CommandRefused", "CallReported"}


@for_any(st.lists(strategies.facts(), max_size=8), st.integers(0, 8))
def test_a_history_is_folded_in_parts_as_it_is_folded_whole(facts, at) -> None:
    assert fold(facts[at:], fold(facts[:at])) == fold(facts)


@for_any(st.lists(strategies.facts(), max_size=6), st.integers(0, 6), strategies.refusals())
def test_a_refusal_changes_nothing_wherever_it_stands(facts, at, refusal) -> None:
    assert fold([*facts[:at], (refusal, 7), *facts[at:]]) == fold(facts)


@for_any(st.lists(strategies.facts(), max_size=6), st.integers(0, 6), strategies.calls())
def test_a_reported_call_changes_nothing_wherever_it_stands(facts, at, call) -> None:
    assert fold([*facts[:at], (call, 7), *facts[at:]]) == fold(facts)


def test_no_host_for_a_rebuild_that_was_not_heard_of_is_an_error_all_the_same() -> None:
    failed = RebuildFailed("req-1", "scheduling", "No valid host was found.")
    given(registered(), failed).then_server(status="ERROR")
    # Where another one is under way, it goes on.
    given(registered(), RebuildRequested("req-2", IMAGE, "given"), failed).then_server(
        status="REBUILD"
    )


def test_a_server_elsewhere_can_be_in_states_that_nothing_here_brings_about() -> None:
    paused = ServerObserved(server_id=SERVER_ID, state="PAUSED")
    given(registered(), paused).then_server(status="PAUSED")


def test_an_empty_history_leaves_what_was_there() -> None:
    server = given(registered()).server
    assert fold([]) is None
    assert fold([], server) is server


@for_any(strategies.histories())
def test_a_servers_last_fact_and_beginning_are_in_its_times(history) -> None:
    server = fold(history)
    assert server is not None
    assert server.updated_micros == history[-1][1]
    beginning, at = history[0]
    assert server.created_micros == (at if beginning.created is None else beginning.created)


# Any commands

REGISTER = RegisterServer(
    server_id=SERVER_ID,
    name="foobar",
    project_id="openstack",
    user_id="fake",
    image_id=IMAGE,
    flavor_id="1",
    created=0,
    updated=0,
    metadata={"meta var": "meta val"},
)
STEPS = st.lists(st.tuples(strategies.commands(), strategies.actors()), max_size=12)


def after_asking(steps) -> tuple[World, list[tuple[tuple[Event, ...], int]]]:
    """The world, and the whole commands that were recorded in it, each at a time of its own."""
    world = World()
    commands = []
    for at, (command, actor) in enumerate([(REGISTER, OWNER), *steps]):
        try:
            decision = world.ask(command, actor, f"req-{at}", at)
        except ServerdomainError:
            continue
        commands.append((decision, at))
    return world, commands


@for_any(STEPS)
def test_a_history_folds_to_the_state_that_it_was_recorded_from(steps) -> None:
    world, _ = after_asking(steps)
    assert world.server == world.recorded


@for_any(STEPS, st.randoms(use_true_random=False))
def test_commands_give_the_same_server_in_whatever_order_they_arrive(steps, random) -> None:
    world, commands = after_asking(steps)
    random.shuffle(commands)
    elsewhere = World()
    for events, at in commands:
        elsewhere.record(events, at)
    assert elsewhere.server == world.server
    assert elsewhere.history == world.history


@for_any(STEPS)
def test_no_commands_bring_a_server_to_a_state_outside_the_table(steps) -> None:
    world = World()
    for at, (command, actor) in enumerate([(REGISTER, OWNER), *steps]):
        try:
            world.ask(command, actor, f"req-{at}", at)
        except ServerdomainError:
            continue
        server = world.server
        assert server is not None
        assert server.state in STATES
        assert server.rebuild is None or (server.state != "BUILD" and not server.deleted)
        assert server.locked_by in (None, "owner", "admin")
        assert 0 <= server.progress <= 100
