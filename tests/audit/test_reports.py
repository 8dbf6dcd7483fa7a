"""The reports say of a fleet what its servers' histories say, one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from serverdomain import Context, HistoryEntry, InvalidInput, RebuildServer, Servers
from serverdomain.audit.reports import images, lost_metadata, rebuilds
from serverdomain.audit.reports.metadata import KeyLost, Loss, LostBy, LostOf
from serverdomain.audit.reports.months import every_month
from serverdomain.audit.reports.rebuilds import NeverEnded, percentiles
from serverdomain.domain import events as e
from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log
from serverdomain.testing import ADMIN, OWNER, ManualClock
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, OTHER, SERVER, adopted

START = datetime(2026, 8, 1, tzinfo=UTC)
EVERYTHING = 10_000


@pytest.fixture(scope="module")
def fleet() -> Iterator[Servers]:
    store = open_log("memory:")
    generate(store, 80, seed=2)
    with Servers(store) as servers:
        yield servers


@pytest.fixture(scope="module")
def told(fleet: Servers) -> dict[str, list[HistoryEntry]]:
    """Every server's history."""
    ids = {entry.server_id for entry in fleet.timeline.search()}
    return {server_id: fleet.history(server_id) for server_id in sorted(ids)}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def servers(new_log: Callable[[], str], clock: ManualClock) -> Iterator[Servers]:
    with Servers.open(new_log(), clock=clock) as servers:
        servers.register(adopted())
        servers.register(adopted(OTHER))
        clock.advance(60)
        yield servers


# Rebuilds


def test_every_rebuild_is_counted_by_how_it_ended(
    fleet: Servers, told: dict[str, list[HistoryEntry]]
) -> None:
    found = rebuilds(fleet.timeline, EVERYTHING)
    times = [time for one in told for time, _ in fleet.what_if(one).rebuilds if time is not None]
    assert found.outcomes == Counter(time.ended or "never" for time in times)
    assert found.requested == len(times) > 100
    took = sorted(time.seconds or 0 for time in times if time.ended == "completed")
    assert found.durations == pytest.approx(took, abs=0.002)
    assert found.seconds["p100"] == pytest.approx(took[-1], abs=0.1)
    never = {(time.rebuild_id, time.requested_at) for time in times if time.ended is None}
    assert {one.rebuild_id for one in found.never_ended} == {name for name, _ in never}
    requested = [one.requested_at for one in found.never_ended]
    assert requested == sorted(requested)
    by_month = Counter(f"{time.requested_at:%Y-%m}" for time in times)
    counted = {month: sum(ends.values()) for month, ends in found.by_month.items()}
    assert {month: count for month, count in counted.items() if count} == by_month


def test_failures_are_counted_by_the_image_asked_for_and_the_host_then(
    fleet: Servers, told: dict[str, list[HistoryEntry]]
) -> None:
    requested, failed, hosts = Counter[str](), Counter[str](), Counter[str]()
    for history in told.values():
        host = image = ""
        for entry in history:
            host = next((str(one.after) for one in entry.changes if one.path == "/hostId"), host)
            if isinstance(entry.event, e.RebuildRequested):
                image = entry.event.image_id
                requested[image] += 1
                hosts[host] += 1
            elif isinstance(entry.event, e.RebuildFailed):
                failed[image] += 1
    found = rebuilds(fleet.timeline, EVERYTHING)
    assert {one.id: one.requested for one in found.by_image} == requested
    assert {one.id: one.failed for one in found.by_image if one.failed} == failed
    assert {one.id: one.requested for one in found.by_host} == hosts
    for groups in (found.by_image, found.by_host, found.by_user, found.by_project):
        assert groups == sorted(groups, key=lambda one: (-one.failed, one.requested, one.id))


def test_tables_are_as_long_as_was_asked(fleet: Servers) -> None:
    found = rebuilds(fleet.timeline, 2)
    assert (len(found.by_image), len(found.by_host)) == (2, 2)
    assert found.requested == rebuilds(fleet.timeline).requested
    lost = lost_metadata(fleet.timeline, 2)
    assert (len(lost.keys), len(lost.by_user), len(lost.latest)) == (2, 2, 2)


def test_rebuilds_are_counted_by_who_asked_and_by_project(
    fleet: Servers, told: dict[str, list[HistoryEntry]]
) -> None:
    users, projects = Counter[str](), Counter[str]()
    for history in told.values():
        (project,) = {
            str(one.after)
            for entry in history
            for one in entry.changes
            if one.path == "/tenant_id" and one.after is not None
        }
        for entry in history:
            if entry.name == "RebuildRequested" and entry.changes:
                users[entry.user_id] += 1
                projects[project] += 1
    found = rebuilds(fleet.timeline, EVERYTHING)
    assert {one.id: one.requested for one in found.by_project} == projects
    assert {one.id for one in found.by_user} == users.keys()
    assert sum(one.requested for one in found.by_user) == found.requested
    for project, count in projects.items():
        of = rebuilds(fleet.timeline, EVERYTHING, of=project)
        assert (of.requested, [one.id for one in of.by_project]) == (count, [project])
    user = found.by_user[0]
    by = rebuilds(fleet.timeline, EVERYTHING, by=user.id)
    assert by.by_user == [user]
    assert by.requested == user.requested == sum(by.outcomes.values())
    assert rebuilds(fleet.timeline, by=user.id, of="none").requested == 0


def test_images_and_lost_metadata_may_be_of_one_project_alone(fleet: Servers) -> None:
    servers = fleet.list()
    for project in {one.project_id for one in servers}:
        now = Counter(one.image_id for one in servers if one.project_id == project)
        found = images(fleet.timeline, of=project)
        assert {use.image_id: use.now for use in found.images if use.now} == now
    whole = lost_metadata(fleet.timeline, EVERYTHING)
    assert sum(one.rebuilds for one in whole.by_project) == whole.rebuilds
    for one in whole.by_project:
        of = lost_metadata(fleet.timeline, EVERYTHING, of=one.project_id)
        assert (of.rebuilds, of.by_project) == (one.rebuilds, [one])
    user = whole.by_user[0]
    assert lost_metadata(fleet.timeline, EVERYTHING, by=user.user_id).by_user == [user]


def test_a_late_fact_ends_a_rebuild_where_it_occurred(servers: Servers, clock: ManualClock) -> None:
    servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE), Context(OWNER, "req-1"))
    clock.advance(100)
    servers.complete_rebuild(SERVER)
    assert rebuilds(servers.timeline).outcomes == {"completed": 1}
    servers.record(SERVER, [e.StateReset("ERROR")], occurred_at=START + timedelta(seconds=90))
    found = rebuilds(servers.timeline)
    assert (found.outcomes, found.durations) == ({"reset": 1}, [])
    clock.advance(60)
    servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE), Context(ADMIN, "req-2"))
    found = rebuilds(servers.timeline)
    assert found.outcomes == {"reset": 1, "never": 1}
    assert [one.rebuild_id for one in found.never_ended] == ["req-2"]
    servers.delete(SERVER, Context(ADMIN))
    assert rebuilds(servers.timeline).outcomes == {"reset": 1, "deleted": 1}


def test_a_group_tells_how_long_its_rebuilds_took_that_completed(
    servers: Servers, clock: ManualClock
) -> None:
    for seconds in (100, 300):
        servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE), Context(OWNER))
        clock.advance(seconds)
        servers.complete_rebuild(SERVER)
    servers.rebuild(OTHER, RebuildServer(image_id=NEW_IMAGE), Context(OWNER))
    clock.advance(7)
    servers.fail_rebuild(OTHER, "disk full")
    found = rebuilds(servers.timeline)
    took = {"p50": 100.0, "p90": 300.0, "p99": 300.0, "p100": 300.0}
    for groups in (found.by_image, found.by_host, found.by_user, found.by_project):
        assert [(one.requested, one.failed, one.seconds) for one in groups] == [(3, 1, took)]


def test_of_those_that_never_ended_the_oldest_are_told(
    servers: Servers, clock: ManualClock
) -> None:
    third = "9c2e9d1e-6f0d-4b8c-8d63-5c1f6c6c1c11"
    servers.register(adopted(third))
    for server_id in (third, SERVER, OTHER):
        clock.advance(60)
        request = Context(OWNER, f"req-{server_id}")
        servers.rebuild(server_id, RebuildServer(image_id=NEW_IMAGE), request)
    assert rebuilds(servers.timeline, 2).never_ended == [
        NeverEnded(third, f"req-{third}", NEW_IMAGE, "2026-08-01T00:02:00.000000Z"),
        NeverEnded(SERVER, f"req-{SERVER}", NEW_IMAGE, "2026-08-01T00:03:00.000000Z"),
    ]
    assert rebuilds(servers.timeline).by_month == {"2026-08": {"never": 3}}


def test_no_month_is_missing_between_the_first_and_the_last() -> None:
    assert every_month({"2025-02", "2024-11"}) == ["2024-11", "2024-12", "2025-01", "2025-02"]
    assert every_month(["2024-12"]) == ["2024-12"]
    assert every_month([]) == []


def test_percentiles_are_by_the_nearest_rank() -> None:
    assert percentiles([]) == {}
    assert percentiles([7.26]) == {"p50": 7.3, "p90": 7.3, "p99": 7.3, "p100": 7.3}
    assert percentiles(range(100, 0, -1)) == {"p50": 50, "p90": 90, "p99": 99, "p100": 100}
    assert percentiles(range(1, 1_002)) == {"p50": 501, "p90": 901, "p99": 991, "p100": 1_001}


# Images


def test_at_the_end_of_each_month_images_are_those_of_the_fleet_then(
    fleet: Servers, told: dict[str, list[HistoryEntry]]
) -> None:
    found = images(fleet.timeline)
    for place, month in list(enumerate(found.months))[::5]:
        year, number = int(month[:4]), int(month[5:])
        end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
        run = Counter[str]()
        for history in told.values():
            image = None
            for entry in history:
                if entry.occurred_at < end:
                    changes = [one for one in entry.changes if one.path == "/image/id"]
                    image = changes[0].after if changes else image
            if image is not None:
                run[str(image)] += 1
        counted = {use.image_id: use.by_month[place] for use in found.images}
        assert {image: count for image, count in counted.items() if count} == run


def test_now_is_what_the_view_of_servers_says(fleet: Servers) -> None:
    found = images(fleet.timeline)
    now = Counter(server.image_id for server in fleet.list())
    assert {use.image_id: use.now for use in found.images if use.now} == now
    assert found.images == sorted(found.images, key=lambda use: (-use.now, -use.most, use.image_id))
    assert all(use.most == max(use.by_month) for use in found.images)
    some = found.images[0].image_id
    still = images(fleet.timeline, some.upper()).servers
    assert still is not None
    assert {one.server_id for one in still} == {one.id for one in fleet.list(image_id=some)}
    assert [one.since for one in still] == sorted(one.since for one in still)


def test_a_server_that_left_an_image_and_came_back_has_it_since_then(
    servers: Servers, clock: ManualClock
) -> None:
    for image, request in ((NEW_IMAGE, "req-1"), (IMAGE, "req-2")):
        servers.rebuild(SERVER, RebuildServer(image_id=image), Context(OWNER, request))
        clock.advance(60)
        servers.complete_rebuild(SERVER)
        clock.advance(60)
    assert [one.server_id for one in images(servers.timeline, IMAGE).servers or ()] == [
        OTHER,
        SERVER,
    ]
    servers.delete(OTHER, Context(ADMIN))
    (still,) = images(servers.timeline, IMAGE).servers or ()
    assert (still.server_id, still.since) == (SERVER, "2026-08-01T00:03:00.000000Z")
    assert images(servers.timeline, NEW_IMAGE).servers == []


def test_an_image_is_a_uuid(servers: Servers) -> None:
    with pytest.raises(InvalidInput, match="image: 'web' came, a UUID is allowed"):
        images(servers.timeline, "web")


@pytest.mark.parametrize("whose", ["by", "of"])
def test_text_without_a_utf_8_form_is_refused(servers: Servers, whose: str) -> None:
    for report in (rebuilds, lost_metadata):
        with pytest.raises(InvalidInput, match=f"^{whose}: .*UTF-8"):
            report(servers.timeline, **{whose: "\udcff"})


# Metadata


def test_keys_are_lost_where_a_rebuild_sent_others(
    fleet: Servers, told: dict[str, list[HistoryEntry]]
) -> None:
    losses: list[tuple[str, str, list[str]]] = []
    for server_id, history in told.items():
        asked = {one.request_id for one in history if one.name == "RebuildRequested"}
        for entry in history:
            if entry.name == "MetadataReplaced" and entry.request_id in asked:
                keys = sorted(
                    one.path.removeprefix("/metadata/")
                    for one in entry.changes
                    if one.after is None
                )
                if keys:
                    losses.append((entry.request_id, server_id, keys))
    found = lost_metadata(fleet.timeline, EVERYTHING)
    assert found.rebuilds == len(losses) > 5
    assert sorted((one.request_id, one.server_id, one.keys) for one in found.latest) == sorted(
        losses
    )
    times, there = Counter[str](), defaultdict(set)
    for _, server_id, keys in losses:
        times.update(keys)
        for key in keys:
            there[key].add(server_id)
    assert {one.key: (one.rebuilds, one.servers) for one in found.keys} == {
        key: (count, len(there[key])) for key, count in times.items()
    }
    assert sum(one.keys for one in found.by_user) == times.total()
    occurred = [one.occurred_at for one in found.latest]
    assert occurred == sorted(occurred, reverse=True)


def test_what_was_lost_is_counted_by_key_and_by_whose_it_was_most_first(fleet: Servers) -> None:
    found = lost_metadata(fleet.timeline, EVERYTHING)
    by_key, by_user, by_project = (defaultdict[str, list[Loss]](list) for _ in range(3))
    for loss in found.latest:
        for key in loss.keys:
            by_key[key].append(loss)
        by_user[loss.user_id].append(loss)
        by_project[loss.project_id].append(loss)

    def most_first(by_name: dict[str, list[Loss]]) -> list[tuple[str, list[Loss]]]:
        return sorted(by_name.items(), key=lambda one: (-len(one[1]), one[0]))

    assert found.keys == [
        KeyLost(key, len(those), len({one.server_id for one in those}), those[0].occurred_at)
        for key, those in most_first(by_key)
    ]
    assert found.by_user == [
        LostBy(user, len(those), sum(len(one.keys) for one in those))
        for user, those in most_first(by_user)
    ]
    assert found.by_project == [
        LostOf(project, len(those), sum(len(one.keys) for one in those))
        for project, those in most_first(by_project)
    ]
    assert found.servers == len({one.server_id for one in found.latest})
    assert sum(found.by_month.values()) == found.rebuilds


def test_what_is_dropped_otherwise_is_not_lost_in_a_rebuild(
    servers: Servers, clock: ManualClock
) -> None:
    servers.replace_metadata(SERVER, {"a/b": "1", "c": "2"})
    servers.delete_metadata(SERVER, ["c"])
    assert lost_metadata(servers.timeline).rebuilds == 0
    command = RebuildServer(image_id=NEW_IMAGE, metadata={"d": "3"})
    servers.rebuild(SERVER, command, Context(OWNER, "req-1"))
    servers.replace_metadata(SERVER, {})
    found = lost_metadata(servers.timeline)
    assert [(one.request_id, one.keys) for one in found.latest] == [("req-1", ["a/b"])]
    assert found.by_month == {"2026-08": 1}


# Nothing


def test_of_an_empty_log_there_is_nothing_to_report(new_log: Callable[[], str]) -> None:
    with Servers.open(new_log()) as servers:
        assert rebuilds(servers.timeline).as_json() == {
            "requested": 0,
            "outcomes": {},
            "seconds": {},
            "by_month": {},
            "by_image": [],
            "by_host": [],
            "by_user": [],
            "by_project": [],
            "never_ended": [],
        }
        assert images(servers.timeline, IMAGE).as_json() == {
            "months": [],
            "images": [],
            "image_id": IMAGE,
            "servers": [],
        }
        assert lost_metadata(servers.timeline).as_json() == {
            "rebuilds": 0,
            "servers": 0,
            "by_month": {},
            "keys": [],
            "by_user": [],
            "by_project": [],
            "latest": [],
        }
