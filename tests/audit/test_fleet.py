"""The fleet as of a moment is every server that was there then, and nobody can change it."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from serverdomain import AsOf, Fleet, InvalidInput, Refused, UnknownEvent
from serverdomain.audit import fleet as module
from serverdomain.audit.keyframes import Keyframes
from serverdomain.domain import events as e
from serverdomain.projections.server_rows import COLUMNS
from tests.audit.world import SERVERS, World, as_of, deeds, folded
from tests.projections.cloud import Cloud, without_plugins


@pytest.fixture
def cloud(kept_url):
    with Cloud(kept_url) as cloud:
        yield cloud


def in_order(servers):
    there = [server for server in servers if server is not None]
    return sorted(there, key=lambda server: (-server.created_micros, -server.first_position))


@settings(max_examples=settings().max_examples // 4)
@given(deeds, st.integers(1, 5), st.data())
def test_the_fleet_is_the_fold_of_all_that_the_log_held(new_log, deeds, least, data):
    """In whatever order moments are asked for, and wherever keyframes come to lie."""
    with World(deeds, new_log()) as world:
        rows = world.rows()
        keyframes = Keyframes(world.cloud.store, least)
        for _ in range(6):
            name = data.draw(st.sampled_from(("position", "recorded_at")))
            value = data.draw(st.sampled_from([0, *(getattr(row, name) for row in rows)]))
            until = {name: value}
            expected = in_order(folded(rows, server_id, **until) for server_id in SERVERS)
            with Fleet(world.cloud.store, keyframes, as_of(**until)) as fleet:
                assert fleet.servers() == expected


@settings(max_examples=settings().max_examples // 8)
@given(deeds, st.integers(1, 5))
def test_the_fleet_as_of_the_head_is_the_current_view(new_log, deeds, least):
    with World(deeds, new_log()) as world:
        view = world.servers.list()
        with world.servers.view._file.reading() as rows:
            columns = rows.execute("SELECT * FROM server ORDER BY id").fetchall()
        keyframes = Keyframes(world.cloud.store, least)
        for _ in range(2):
            with Fleet(world.cloud.store, keyframes) as fleet:
                assert fleet.servers() == view
                found = fleet.connection.execute("SELECT * FROM server ORDER BY id")
                assert found.fetchall() == columns


def test_it_is_asked_as_the_view_is(cloud):
    web, other = cloud.create("web"), cloud.create("other")
    cloud.servers.report_built(web)
    moment = AsOf(recorded_at=cloud.clock.now)
    cloud.clock.advance(1)
    cloud.rename(web, "renamed")
    cloud.servers.delete(other)
    with cloud.servers.fleet(as_of=moment) as fleet:
        assert fleet.position == 3
        assert [server.name for server in fleet.servers()] == ["other", "web"]
        assert [server.name for server in fleet.servers(status="BUILD")] == ["other"]
        assert [server.name for server in fleet.servers(name="we")] == ["web"]
        assert fleet.servers(image_id=str(uuid4())) == fleet.servers(project_id="none") == []
        assert (fleet.count(), fleet.count(status="BUILD")) == (2, 1)
        with pytest.raises(InvalidInput, match=r"^status: "):
            fleet.servers(status="active")
        counted = fleet.query("SELECT status, COUNT(*) AS n FROM server GROUP BY 1 ORDER BY 1")
        assert counted == [{"status": "ACTIVE", "n": 1}, {"status": "BUILD", "n": 1}]
        named = fleet.query("SELECT id FROM server WHERE name = :name", {"name": "web"})
        assert named == [{"id": web}]
    with cloud.servers.fleet() as fleet:
        assert [server.name for server in fleet.servers()] == ["renamed"]


def test_sqlite_utils_reads_it(cloud):
    cloud.create("web")
    with cloud.servers.fleet() as fleet:
        table = Database(fleet.connection, recursive_triggers=False)["server"]
        assert [row["name"] for row in table.rows] == ["web"]
        assert [column.name for column in table.columns] == list(COLUMNS)
        assert table.count == 1
        assert fleet.query("SELECT value FROM server, json_each(metadata)") == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM main.server",
        "INSERT INTO changed (id) VALUES ('x')",
        "UPDATE keyframe.server SET name = 'x'",
        "CREATE TABLE mine (a)",
        "CREATE TEMP TABLE mine (a)",
        "DROP VIEW server",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "ATTACH 'mine.db' AS mine",
        "DETACH keyframe",
        "VACUUM INTO 'mine.db'",
    ],
)
def test_nothing_can_be_written_through_it(cloud, tmp_path, statement):
    cloud.create("web")
    with cloud.servers.fleet() as fleet:
        before = sorted(tmp_path.iterdir())
        with pytest.raises(sqlite3.DatabaseError):
            fleet.connection.execute(statement)
        assert [server.name for server in fleet.servers()] == ["web"]
        assert sorted(tmp_path.iterdir()) == before


def test_it_has_no_method_that_would_write():
    commands = {name for name in dir(Fleet) if not name.startswith("_")}
    assert commands == {"close", "connection", "count", "query", "servers"}


@pytest.mark.parametrize(
    "moment",
    [
        AsOf(version=1),
        AsOf(occurred_at=datetime(2025, 1, 1, tzinfo=UTC)),
        AsOf(
            occurred_at=datetime(2025, 1, 1, tzinfo=UTC),
            recorded_at=datetime(2025, 1, 1, tzinfo=UTC),
        ),
    ],
)
def test_of_the_fleet_only_what_no_late_fact_can_change_is_asked(cloud, moment):
    with pytest.raises(InvalidInput, match=r"^as_of: .* position:N or recorded:TIME is allowed$"):
        cloud.servers.fleet(as_of=moment)


def test_beyond_the_head_is_refused_and_a_later_time_is_now(cloud):
    cloud.create("web")
    with pytest.raises(Refused, match=r"^position 2 came, the log's head is 1$"):
        cloud.servers.fleet(as_of=AsOf(position=2))
    never = datetime(9000, 1, 1, tzinfo=UTC)
    with cloud.servers.fleet(as_of=AsOf(recorded_at=never)) as fleet:
        assert len(fleet.servers()) == fleet.position == 1
    early = cloud.clock.now - timedelta(seconds=1)
    with cloud.servers.fleet(as_of=AsOf(recorded_at=early)) as fleet:
        assert fleet.servers() == []
        assert fleet.position == 0


def test_a_late_fact_among_those_behind_a_keyframe_takes_its_place(cloud):
    server_id = cloud.create("born")
    early = cloud.clock.now
    cloud.clock.advance(10)
    cloud.rename(server_id, "renamed")
    keyframes = Keyframes(cloud.store, 2)
    with Fleet(cloud.store, keyframes) as fleet:
        assert [server.name for server in fleet.servers()] == ["renamed"]
    late = [e.ServerRenamed("late"), e.ServerStopped()]
    cloud.servers.record(server_id, late, occurred_at=early)
    with Fleet(cloud.store, keyframes) as fleet:
        assert fleet.servers() == [cloud.servers.get(server_id)]
        assert fleet.servers()[0].name == "renamed"
        assert fleet.servers()[0].state == "SHUTOFF"
    assert keyframes.chain(3) == [(0, 2)]


def test_others_events_and_refusals_do_not_matter(cloud):
    server_id = cloud.create("web")
    with pytest.raises(Refused):
        cloud.servers.reset_state(server_id, "ERROR")
    cloud.append_foreign(uuid4(), range(1, 9))
    cloud.rename(server_id, "renamed")
    keyframes = Keyframes(cloud.store, 2)
    for position in (11, 7, 2, 1, 11):
        with Fleet(cloud.store, keyframes, AsOf(position=position)) as fleet:
            expected = ["renamed" if position == 11 else "web"]
            assert [server.name for server in fleet.servers()] == expected


def test_a_position_that_the_log_passed_over_stops_nobody(cloud):
    server_id = cloud.create("web")
    cloud.leave_a_gap(9)
    cloud.rename(server_id, "renamed")
    keyframes = Keyframes(cloud.store, 2)
    for position in (10, 7, 4, 10):
        with Fleet(cloud.store, keyframes, AsOf(position=position)) as fleet:
            expected = ["renamed" if position == 10 else "web"]
            assert [server.name for server in fleet.servers()] == expected
    assert keyframes.chain(7) == [(0, 2), (2, 4), (4, 6)]


def test_an_event_of_a_newer_release_is_named_and_before_it_all_is_as_it_was(cloud):
    server_id = cloud.create("web")
    position = cloud.append_newer(server_id)
    with cloud.servers.fleet(as_of=AsOf(position=position - 1)) as fleet:
        assert [server.name for server in fleet.servers()] == ["web"]
    with pytest.raises(UnknownEvent, match=f"position {position} "):
        cloud.servers.fleet()


def test_another_thread_may_ask_it(cloud):
    cloud.create("web")
    with cloud.servers.fleet() as fleet, ThreadPoolExecutor(1) as other:
        assert [server.name for server in other.submit(fleet.servers).result()] == ["web"]


def test_it_tells_how_far_it_has_come(cloud):
    server_id = cloud.create("web")
    cloud.rename(server_id, *"abcdefgh")
    told = []
    with Fleet(cloud.store, Keyframes(cloud.store, 4), None, lambda *at: told.append(at)):
        assert told == [(4, 9), (8, 9), (9, 9)]


def test_of_what_is_no_id_there_is_no_server(cloud):
    there = cloud.create("web")
    with cloud.servers.fleet() as fleet:
        assert there in fleet
        assert "web" not in fleet


def test_a_page_that_was_deleted_since_is_gone_on_from_where_it_was_then(cloud):
    first, second, third = (cloud.create(name) for name in "abc")
    cloud.servers.delete(second)
    moment = AsOf(position=4)
    cloud.servers.delete(third)
    later = cloud.create("later")
    with cloud.servers.fleet(as_of=moment) as fleet:
        with pytest.raises(InvalidInput, match=r"^marker: "):
            fleet.servers(marker=later)
        assert [one.id for one in fleet.servers(marker=second)] == [first]
        assert [one.id for one in fleet.servers(limit=1)] == [third]


def test_many_pages_of_the_log_are_folded_into_the_same_fleet(cloud, monkeypatch):
    one, other = cloud.create("one"), cloud.create("other")
    cloud.rename(one, *"abcdefgh")
    cloud.rename(other, "last")
    monkeypatch.setattr(module, "_PAGE", 3)
    told = []
    with Fleet(cloud.store, Keyframes(cloud.store), None, lambda *at: told.append(at)) as fleet:
        assert fleet.servers() == cloud.servers.list()
    assert told == [(3, 11), (6, 11), (9, 11), (11, 11)]


def test_a_question_that_is_none_is_no_damage(cloud, caplog):
    cloud.create("web")
    keyframes = Keyframes(cloud.store, 1)
    for _ in range(2):  # Without a keyframe below it, and with one.
        with Fleet(cloud.store, keyframes) as fleet:
            with pytest.raises(sqlite3.OperationalError, match="no such table: nonsense"):
                fleet.query("SELECT * FROM nonsense")
            assert len(fleet) == 1
    assert keyframes.chain(1) == [(0, 1)]
    assert caplog.messages == []


def test_no_plugin_of_sqlite_utils_comes_near_its_rows(cloud):
    cloud.create("web")
    with without_plugins(), Fleet(cloud.store, Keyframes(cloud.store, 1)) as fleet:
        assert fleet.query("SELECT name FROM server") == [{"name": "web"}]


def test_what_follows_it_does_not_change_it(cloud):
    server_id = cloud.create("web")
    with cloud.servers.fleet() as fleet:
        before = fleet.servers()
        cloud.rename(server_id, "renamed")
        assert fleet.servers() == before
        assert [server.name for server in before] == ["web"]
