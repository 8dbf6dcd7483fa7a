"""What changed between two moments, and which events made it so."""

import re
from datetime import timedelta

import jsonpatch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverdomain import (
    Actor,
    AsOf,
    Context,
    InvalidInput,
    NotFound,
    PathChange,
    RebuildServer,
    Refused,
)
from serverdomain.audit.patch import diff_json, fleet_diff_json
from serverdomain.domain import events as e
from serverdomain.domain.document import changes, document
from tests.audit.world import SERVERS, World, as_of, bounds, deeds, folded
from tests.projections.cloud import IMAGE, OTHER_IMAGE, Cloud


@pytest.fixture
def cloud(new_log):
    with Cloud(new_log()) as cloud:
        yield cloud


@pytest.fixture
def story(cloud):
    """A server of five events: two of its creation and one rebuild with another name."""
    server_id = cloud.create("born")
    cloud.servers.report_built(server_id)
    cloud.clock.advance(10)
    cloud.servers.rebuild(server_id, RebuildServer(image_id=OTHER_IMAGE, name="rebuilt"))
    return server_id


def told(diff):
    return {change.path: (change.before, change.after, change.events) for change in diff.changes}


# Any history, any two moments


@settings(max_examples=settings().max_examples // 5)
@given(deeds, st.data())
def test_from_one_moment_to_any_other_the_patch_leads_exactly(new_log, deeds, data):
    with World(deeds, new_log()) as world:
        rows = world.rows()
        for server_id in SERVERS:
            of_it = [row for row in rows if row.server_id == server_id]
            if not of_it:
                continue
            for _ in range(3):
                asked = [data.draw(bounds(of_it, server_id)) for _ in range(2)]
                then, now = (folded(rows, server_id, **until) for until in asked)
                if then is None and now is None:
                    with pytest.raises(NotFound):
                        world.servers.diff(server_id, *(as_of(**until) for until in asked))
                    continue
                found = world.servers.diff(server_id, *(as_of(**until) for until in asked))
                assert (found.before.server, found.after.server) == (then, now)
                expected = changes(then, now)
                assert [(one.path, one.before, one.after) for one in found.changes] == [*expected]
                assert all(change.events for change in found.changes), "nothing comes of nothing"
                responsible = {at for change in found.changes for at in change.events}
                assert [entry.position for entry in found.events] == sorted(responsible)
                assert responsible <= {row.position for row in of_it}
                shown = diff_json(found, document)
                one, other = (
                    None if server is None else {"server": document(server)}
                    for server in (then, now)
                )
                assert jsonpatch.apply_patch(one, shown["patch"]) == other


@settings(max_examples=settings().max_examples // 8)
@given(deeds, st.data())
def test_back_again_is_the_same_the_other_way_round(new_log, deeds, data):
    with World(deeds, new_log()) as world:
        rows = [row for row in world.rows() if row.server_id == SERVERS[0]]
        one, other = (as_of(**data.draw(bounds(rows))) for _ in range(2))
        try:
            there = world.servers.diff(SERVERS[0], one, other)
        except NotFound:
            return
        back = world.servers.diff(SERVERS[0], other, one)
        assert {
            (change.path, change.after, change.before, change.events) for change in back.changes
        } == {(change.path, change.before, change.after, change.events) for change in there.changes}


@settings(max_examples=settings().max_examples // 8)
@given(deeds, st.data())
def test_of_the_fleet_it_is_what_changed_of_each_server(new_log, deeds, data):
    with World(deeds, new_log()) as world:
        rows = world.rows()
        positions = st.sampled_from([0, *(row.position for row in rows)])
        one, other = (AsOf(position=data.draw(positions)) for _ in range(2))
        found = world.servers.diff_fleet(one, other)
        by_id = {diff.before.server_id: diff for diff in found.servers}
        then, now = {}, {}
        for server_id in SERVERS:
            before, after = (
                folded(rows, server_id, position=moment.position) for moment in (one, other)
            )
            sides = [None if server is None else document(server) for server in (before, after)]
            assert (server_id in by_id) == (sides[0] != sides[1])
            if server_id in by_id:
                assert by_id[server_id] == world.servers.diff(server_id, one, other)
            for fleet, shown in zip((then, now), sides, strict=True):
                if shown is not None:
                    fleet[server_id] = shown
        shown = fleet_diff_json(found, document)
        assert jsonpatch.apply_patch(then, shown["patch"]) == now


# Who made it so


def test_between_two_positions_those_in_between_are_responsible(cloud, story):
    found = cloud.servers.diff(story, AsOf(position=2), AsOf(position=5))
    assert told(found) == {
        "/image/id": (IMAGE, OTHER_IMAGE, (4,)),
        "/name": ("born", "rebuilt", (5,)),
        "/status": ("ACTIVE", "REBUILD", (3,)),
    }
    assert [(entry.position, entry.name) for entry in found.events] == [
        (3, "RebuildRequested"),
        (4, "ImageChanged"),
        (5, "ServerRenamed"),
    ]
    assert {entry.request_id for entry in found.events} == {found.events[0].request_id}
    assert {entry.user_id for entry in found.events} == {"system"}


def test_all_that_changed_a_path_on_the_way_are_responsible_and_no_others(cloud, story):
    cloud.rename(story, "another", "last")
    found = cloud.servers.diff(story, AsOf(version=1), AsOf(version=7))
    assert told(found)["/name"] == ("born", "last", (5, 6, 7))
    assert told(found)["/status"] == ("BUILD", "REBUILD", (2, 3))
    back = cloud.servers.diff(story, AsOf(version=7), AsOf(version=1))
    assert told(back)["/name"] == ("last", "born", (5, 6, 7))


def test_what_was_changed_and_changed_back_is_no_change(cloud, story):
    cloud.rename(story, "away", "rebuilt")
    found = cloud.servers.diff(story, AsOf(version=5), AsOf(version=7))
    assert (found.changes, found.events) == ((), ())


def test_a_late_fact_is_responsible_though_it_lies_before_both_moments(cloud, story):
    known = cloud.clock.now
    early = known - timedelta(seconds=5)
    cloud.clock.advance(60)
    cloud.servers.record(story, [e.ServerStopped()], occurred_at=early)
    one = AsOf(recorded_at=known, occurred_at=known)
    found = cloud.servers.diff(story, one, AsOf(occurred_at=known))
    assert found.changes == (), "the rebuild hides it"
    cloud.servers.complete_rebuild(story)
    found = cloud.servers.diff(story, AsOf(version=5), "now")
    # RebuildCompleted returns to the state that the late fact left.
    assert told(found)["/status"] == ("REBUILD", "SHUTOFF", (6, 7))


def test_an_event_that_both_know_is_responsible_where_a_late_fact_made_it_do_something(cloud):
    server_id = cloud.create("born")
    cloud.servers.report_built(server_id)
    early = cloud.clock.now + timedelta(seconds=1)
    cloud.clock.advance(10)
    failed = e.RebuildFailed("req-1", "hypervisor", "no room")
    cloud.servers.record(server_id, [failed])
    cloud.clock.advance(10)
    known = cloud.clock.now
    assert cloud.servers.get(server_id).status == "ACTIVE", "there was no rebuild to fail"
    requested = e.RebuildRequested("req-1", IMAGE, "given")
    cloud.clock.advance(10)
    cloud.servers.record(server_id, [requested], occurred_at=early)
    found = told(cloud.servers.diff(server_id, AsOf(recorded_at=known), "now"))
    assert found["/fault/message"] == (None, "no room", (3, 4))
    assert found["/status"] == ("ACTIVE", "ERROR", (3, 4))


def test_a_late_fact_that_shows_only_in_what_a_later_event_does_is_responsible(cloud, story):
    during = cloud.clock.now + timedelta(seconds=5)
    cloud.clock.advance(60)
    cloud.servers.complete_rebuild(story)
    one, other = (AsOf(version=version) for version in (6, 7))
    cloud.servers.record(story, [e.ServerStopped()], occurred_at=during)
    # While it was rebuilt the document said REBUILD, stopped or not.
    assert told(cloud.servers.diff(story, one, other)) == {
        "/progress": (100, None, (6, 7)),
        "/status": ("ACTIVE", "SHUTOFF", (6, 7)),
    }
    assert told(cloud.servers.diff(story, other, one))["/status"][2] == (6, 7)


def test_a_late_fact_that_a_later_one_hides_is_responsible_for_nothing(cloud, story):
    early = cloud.clock.now - timedelta(seconds=5)
    cloud.clock.advance(60)
    cloud.servers.record(story, [e.ServerRenamed("hidden")], occurred_at=early)
    cloud.rename(story, "last")
    cloud.servers.update_metadata(story, {"new": "1"})
    found = cloud.servers.diff(story, AsOf(version=5), "now")
    assert told(found) == {
        "/metadata/new": (None, "1", (8,)),
        "/name": ("rebuilt", "last", (6, 7)),
    }
    assert cloud.servers.diff(story, AsOf(version=5), AsOf(version=6)).changes == ()


# Where it is not there


def test_where_it_was_not_there_everything_is_absent(cloud, story):
    born = cloud.servers.diff(story, AsOf(version=0), "first")
    assert all(change.before is None for change in born.changes)
    assert {change.events for change in born.changes} == {(1,)}
    cloud.clock.advance(1)
    cloud.servers.delete(story)
    gone = cloud.servers.diff(story)
    assert all(change.after is None for change in gone.changes)
    assert {change.events[-1] for change in gone.changes} == {6}
    assert diff_json(gone, document)["patch"] == [{"op": "replace", "path": "", "value": None}]
    with pytest.raises(NotFound, match="is not there as of version:0, nor as of position:6"):
        cloud.servers.diff(story, AsOf(version=0), "now")


def test_first_is_its_beginning_and_now_the_head(cloud):
    server_id = cloud.create("another") and "155d900f-4e14-4e4c-a73d-069cbf4541e6"
    cloud.servers.record(server_id, [e.ServerRenamed("too early")])
    with pytest.raises(NotFound, match="has not begun"):
        cloud.servers.diff(server_id)
    observed = e.ServerObserved(server_id=server_id, name="seen")
    cloud.servers.record(server_id, [observed])
    cloud.rename(server_id, "renamed")
    found = cloud.servers.diff(server_id)
    assert found.before.as_json() == {"server_id": server_id, "version": 2}
    assert found.after.as_json() == {"server_id": server_id, "position": 4}
    assert told(found) == {"/name": ("seen", "renamed", (4,))}


def test_moments_that_are_none_are_refused(cloud, story):
    with pytest.raises(InvalidInput, match=r"'then' came, version:N, .* first is, too"):
        cloud.servers.diff(story, "then")
    with pytest.raises(InvalidInput, match="an int came"):
        cloud.servers.diff_fleet(2012, "now")
    with pytest.raises(Refused, match="the log's head is 5"):
        cloud.servers.diff(story, "first", AsOf(position=6))
    with pytest.raises(Refused, match=r"is 5$"):
        cloud.servers.diff(story, AsOf(version=6), "now")
    with pytest.raises(NotFound, match="never was"):
        cloud.servers.diff(IMAGE)
    with pytest.raises(InvalidInput, match=r"position:N or recorded:TIME is allowed"):
        cloud.servers.diff_fleet(AsOf(occurred_at=cloud.clock.now), "now")
    with pytest.raises(Refused, match="the log's head is 5"):
        cloud.servers.diff_fleet("first", AsOf(position=6))


def test_a_call_of_a_request_that_changed_nothing_is_by_nobody_responsible(cloud, story):
    for caused_by in (None, "req-of-nobody"):
        call = Context(Actor("alice", "openstack"), caused_by=caused_by)
        said = e.CallReported(action="rebuild", outcome="failure", code=409)
        cloud.servers.record(story, [said], call)
    found = cloud.servers.diff(story, AsOf(position=2), "now")
    assert [entry.position for entry in found.events] == [3, 4, 5]


# Two servers, and the fleet


def test_of_two_servers_those_that_left_what_is_there_are_responsible(cloud, story):
    other = cloud.create("other")
    cloud.rename(other, "one", "two")
    found = cloud.servers.diff_servers(story, other)
    assert told(found)["/name"] == ("rebuilt", "two", (5, 8))
    assert told(found)["/image/id"] == (OTHER_IMAGE, IMAGE, (4, 6))
    assert told(found)["/id"] == (story, other, (1, 6))
    assert found.before.as_json() == {"server_id": story}
    assert cloud.servers.diff_servers(story, story).changes == ()
    cloud.servers.delete(other)
    for pair in ((story, other), (other, story)):
        with pytest.raises(NotFound, match=f"^server {other} is not there$"):
            cloud.servers.diff_servers(*pair)


def test_of_the_fleet_only_servers_with_events_in_between_are_read(cloud, story):
    others = [cloud.create(f"other {number}") for number in range(20)]
    cloud.rename(others[3], "renamed")
    with pytest.raises(Refused):
        cloud.servers.reset_state(others[4], "ERROR")
    done = []
    found = cloud.servers.diff_fleet(AsOf(position=25), "now", progress=lambda *at: done.append(at))
    assert [(diff.before.server_id, told(diff)) for diff in found.servers] == [
        (others[3], {"/name": ("other 3", "renamed", (26,))})
    ]
    assert done == [(1, 1)]
    assert (found.before.position, found.after.position) == (25, 27)


def test_of_the_fleet_the_patch_knows_of_a_server_that_was_only_touched(cloud, story):
    cloud.rename(story, "renamed")
    cloud.clock.advance(10)
    cloud.rename(story, "rebuilt")
    then, now = (document(cloud.servers.get(story, as_of=AsOf(position=p))) for p in (5, 7))
    assert then["updated"] != now["updated"]
    found = cloud.servers.diff_fleet(AsOf(position=5), "now")
    assert [diff.changes for diff in found.servers] == [()]
    patch = fleet_diff_json(found, document)["patch"]
    assert jsonpatch.apply_patch({story: then}, patch) == {story: now}


def test_of_the_fleet_the_form_names_the_servers_in_its_paths(cloud, story):
    cloud.rename(story, "renamed")
    found = cloud.servers.diff_fleet(AsOf(recorded_at=cloud.clock.now), AsOf(position=5))
    at = cloud.servers.history(story)[-1].as_json()["recorded_at"]
    assert fleet_diff_json(found, lambda server: {"name": server.name}) == {
        "from": {"recorded_at": at},
        "to": {"position": 5},
        "changes": [{"path": f"/{story}/name", "from": "renamed", "to": "rebuilt", "events": [6]}],
        "patch": [{"op": "replace", "path": f"/{story}/name", "value": "rebuilt"}],
    }


def test_of_the_fleet_a_value_that_moved_stays_within_its_server(cloud, story):
    cloud.servers.replace_metadata(story, {"before": "value"})
    then = {story: document(cloud.servers.get(story))}
    cloud.servers.replace_metadata(story, {"after": "value"})
    found = cloud.servers.diff_fleet(AsOf(position=6), "now")
    patch = fleet_diff_json(found, document)["patch"]
    assert [operation["op"] for operation in patch] == ["move"]
    assert jsonpatch.apply_patch(then, patch) == {story: document(cloud.servers.get(story))}


def test_a_diff_as_json_has_the_documented_members(cloud, story):
    found = cloud.servers.diff(story, AsOf(version=2), AsOf(position=5))
    assert found.changes[1] == PathChange("/name", "born", "rebuilt", (5,))
    shown = diff_json(found, lambda server: {"name": server.name})
    assert shown.pop("changes")[1] == {
        "path": "/name",
        "from": "born",
        "to": "rebuilt",
        "events": [5],
    }
    assert shown == {
        "from": {"server_id": story, "version": 2},
        "to": {"server_id": story, "position": 5},
        "patch": [{"op": "replace", "path": "/server/name", "value": "rebuilt"}],
    }


# As tables


def cells(html):
    return re.findall(r"<(?:caption|t[hd]\b)[^>]*>(.*?)</", html)


def test_a_diff_as_a_table_says_from_which_moment_to_which_and_by_what(cloud, story):
    cloud.servers.update_metadata(story, {"new": "1"})
    found = cells(cloud.servers.diff(story, AsOf(version=2), "now")._repr_html_())
    assert found[0] == f"server {story} as of version:2 → server {story} as of position:6"
    assert found[1:5] == ["path", "from", "to", "by"]
    at = found.index("/metadata/new")
    assert found[at : at + 4] == ["/metadata/new", "absent", "1", "6"]
    assert found[found.index("by these events") :].count(story) == 4
    of_two = cells(cloud.servers.diff_servers(story, cloud.create("other"))._repr_html_())
    assert of_two[0].startswith(f"server {story} now → server ")
    assert of_two[of_two.index("/name") + 3] == "5, 7"


def test_a_diff_of_the_fleet_is_of_so_many_servers_and_a_table_of_all(cloud, story):
    found = cloud.servers.diff_fleet(AsOf(position=4), AsOf(position=5))
    assert len(found) == 1
    assert [one.before.server_id for one in found] == [story]
    assert cells(found._repr_html_()) == [
        "the fleet from position:4 to position:5",
        *("server", "path", "from", "to", "by"),
        *(story, "/name", "born", "rebuilt", "5"),
    ]
    nothing = cloud.servers.diff_fleet(AsOf(position=5), AsOf(position=5))
    assert nothing
    assert len(nothing) == 0
