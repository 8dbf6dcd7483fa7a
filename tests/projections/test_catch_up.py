"""A view follows its log to the head: a page at a time, exactly, whoever else does the same."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import pytest

from serverdomain import Refused, StoreError, StoreLocked, UnknownEvent
from serverdomain.domain import events as e
from serverdomain.projections import following, generations
from serverdomain.projections.server_rows import SERVERS
from serverdomain.projections.view_place import ViewPlace
from serverdomain.testing import registered
from tests.projections.cloud import Cloud, Process, change, rows

SERVER = registered().server_id


@pytest.fixture
def cloud(kept_url):
    with Cloud(kept_url) as cloud:
        yield cloud


@pytest.fixture(params=[1, 3, 2_000])
def view(request, cloud):
    """The cloud's view, which takes so many events at a time."""
    view = cloud.view(page=request.param)
    yield view
    view.close()


def test_a_view_shows_what_the_fold_makes_of_every_server(cloud, view):
    for name in ("one", "two", "three"):
        cloud.rename(cloud.create(name), f"{name} renamed")
    view.catch_up()
    assert view.servers() == cloud.folded()
    assert [server.name for server in view.servers()] == [
        "three renamed",
        "two renamed",
        "one renamed",
    ]


def test_position_and_rows_move_together_a_page_at_a_time(cloud):
    server_id = cloud.create("0")
    cloud.rename(server_id, "1", "2", "3", "4")
    view = ViewPlace(cloud.store, None, SERVERS).open()
    seen = []
    with closing(sqlite3.connect(cloud.view_path)) as outsider:
        while True:
            (row,) = outsider.execute(
                "SELECT position, (SELECT name FROM server) FROM generations WHERE live"
            )
            seen.append(row)
            with view.reading() as shown:
                step = following.next_advance(
                    cloud.store, shown, generations.live(shown, SERVERS), 2
                )
            if step.position == step.seen.position:
                break
            with view.writing() as connection:
                assert following.take(connection, step)
    view.close()
    assert seen == [(0, None), (2, "1"), (4, "3"), (5, "4")]


def test_rows_that_cannot_be_written_leave_the_position_where_it_was(cloud):
    cloud.create("one")
    view = ViewPlace(cloud.store, None, SERVERS).open()
    change(
        cloud.view_path,
        "CREATE TRIGGER full BEFORE INSERT ON server_1 BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    with pytest.raises(StoreError):
        following.catch_up(cloud.store, view)
    assert rows(cloud.view_path) == []
    with view.reading() as shown:
        assert generations.live(shown, SERVERS).position == 0
    view.close()


def test_a_page_that_another_has_taken_meanwhile_is_not_taken_again(cloud):
    server_id = cloud.create("one")
    slow, quick = ViewPlace(cloud.store, None, SERVERS).open(), cloud.view()
    with slow.reading() as shown:
        step = following.next_advance(cloud.store, shown, generations.live(shown, SERVERS), 10)
    cloud.rename(server_id, "two")
    quick.catch_up()
    with slow.writing() as connection:
        assert not following.take(connection, step)
    assert rows(cloud.view_path, "name, version") == [("two", 2)]
    assert quick.status().position == 2
    slow.close()
    quick.close()


CATCHES_UP = """
import sys
from serverdomain.store.opening import open_log
from serverdomain.projections.server_view import ServerView
store = open_log(sys.argv[1])
view = ServerView(store, None, 1)
print(1, flush=True)
input()
view.catch_up()
print(view.status().lag, flush=True)
view.close()
store.close()
"""


def test_two_processes_catch_up_at_once(cloud):
    server_ids = [cloud.create(name) for name in "abc"]
    for number in range(30):
        cloud.rename(server_ids[number % 3], f"name {number}")
    with Process(CATCHES_UP, cloud.url) as one, Process(CATCHES_UP, cloud.url) as other:
        for process in (one, other):
            process.hear()
        for process in (one, other):
            process.tell()
        assert [process.hear() for process in (one, other)] == [0, 0]
        for process in (one, other):
            process.end()
    assert sorted(rows(cloud.view_path)) == sorted((s.id, s.name) for s in cloud.folded())


def test_threads_share_one_view(cloud):
    view = cloud.view(page=1)
    names = [f"name {number}" for number in range(24)]

    def create(name):
        server_id = cloud.servers.create(cloud.creation(name)).id
        view.catch_up()
        return server_id in {server.id for server in view.servers()}

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(create, names))
    assert view.servers() == cloud.folded()
    view.close()


# Late facts


def test_a_late_fact_takes_its_place_among_the_others(cloud, view):
    server_id = cloud.create("as created")
    early = cloud.clock.advance(1)
    cloud.clock.advance(1)
    cloud.rename(server_id, "later")
    view.catch_up()
    cloud.servers.record(server_id, [e.ServerRenamed("late fact")], occurred_at=early)
    cloud.servers.record(server_id, [e.ImageChanged("x")], occurred_at=early)
    view.catch_up()
    (shown,) = view.servers()
    assert (shown.name, shown.image_id, shown.version) == ("later", "x", 4)
    assert [shown] == cloud.folded()


def test_a_server_folded_again_is_shown_at_the_page_and_no_further(cloud):
    server_id = cloud.create("1")
    early = cloud.clock.now
    cloud.clock.advance(1)
    cloud.rename(server_id, "2")
    cloud.servers.record(server_id, [e.MetadataReplaced({"late": "1"})], occurred_at=early)
    cloud.rename(server_id, "beyond the page")
    view = ViewPlace(cloud.store, None, SERVERS).open()
    with view.reading() as shown:
        step = following.next_advance(cloud.store, shown, generations.live(shown, SERVERS), 3)
    (server,) = step.changes.servers.values()
    assert (server.name, server.metadata, server.version) == ("2", {"late": "1"}, 3)
    view.close()


def test_a_page_may_end_in_the_middle_of_a_command_and_of_late_facts(cloud, view):
    server_id = cloud.create("1")
    early = cloud.clock.now
    cloud.clock.advance(1)
    cloud.rename(server_id, "2")
    facts = [e.ServerLocked("owner"), e.ServerRenamed("late"), e.MetadataReplaced({"late": "1"})]
    cloud.servers.record(server_id, facts, occurred_at=early)
    cloud.servers.record(server_id, [e.ServerStopped(), e.ServerUnlocked()], occurred_at=early)
    cloud.servers.record(server_id, facts)
    view.catch_up()
    assert view.servers() == cloud.folded()


def test_facts_before_a_beginning_show_nothing_until_it_comes(cloud, view):
    start = cloud.clock.now
    cloud.servers.record(SERVER, [e.ServerRenamed("before")], occurred_at=start)
    cloud.servers.record(
        SERVER, [e.ServerRenamed("after")], occurred_at=start + timedelta(seconds=9)
    )
    view.catch_up()
    assert view.servers() == []
    cloud.servers.record(SERVER, [registered()], occurred_at=start + timedelta(seconds=5))
    view.catch_up()
    (shown,) = view.servers()
    assert (shown.name, shown.version) == ("after", 3)
    assert [shown] == cloud.folded()


def test_an_earlier_beginning_takes_the_place_of_a_later_one(cloud, view):
    start = cloud.clock.now
    cloud.servers.record(SERVER, [registered(name="later")])
    view.catch_up()
    cloud.servers.record(
        SERVER, [registered(name="earlier")], occurred_at=start - timedelta(days=1)
    )
    view.catch_up()
    assert [server.name for server in view.servers()] == ["earlier"]
    assert view.servers() == cloud.folded()


# Deleted servers


def test_a_deleted_server_leaves_the_view_and_no_fact_brings_it_back(cloud, view):
    kept, deleted = cloud.create("kept"), cloud.create("deleted")
    view.catch_up()
    early = cloud.clock.now
    cloud.clock.advance(1)
    cloud.servers.delete(deleted)
    view.catch_up()
    assert [server.id for server in view.servers()] == [kept]
    cloud.servers.record(deleted, [e.ServerRenamed("after"), e.ServerStarted()])
    cloud.servers.record(deleted, [e.ServerRenamed("late")], occurred_at=early)
    cloud.servers.record(deleted, [registered(server_id=deleted)])
    view.catch_up()
    assert [server.id for server in view.servers()] == [kept]


def test_a_deletion_that_came_late_takes_the_server_out(cloud, view):
    server_id = cloud.create()
    early = cloud.clock.now
    cloud.clock.advance(1)
    cloud.rename(server_id, "still here")
    view.catch_up()
    cloud.servers.record(server_id, [e.ServerDeleted()], occurred_at=early)
    view.catch_up()
    assert view.servers() == cloud.folded() == []


def test_a_server_created_and_deleted_within_a_page_is_never_shown(cloud, view):
    cloud.servers.delete(cloud.create())
    view.catch_up()
    assert view.servers() == []
    assert view.status() == (2, 2, 0, 0)


# What is not ours, and what is newer


def test_another_applications_events_are_passed_over(cloud, view):
    cloud.append_foreign(uuid4(), [0, 1, 2])
    server_id = cloud.create("one")
    cloud.append_foreign(uuid4(), [0, 1])
    cloud.rename(server_id, "two")
    view.catch_up()
    assert view.servers() == cloud.folded()
    assert view.status() == (7, 7, 0, 1)


def test_an_event_of_a_newer_release_stops_the_view_there_and_nothing_else(cloud):
    cut, whole = cloud.create("cut"), cloud.create("whole")
    position = cloud.append_newer(cut)
    cloud.rename(whole, "behind it")
    for _ in range(2):
        with pytest.raises(UnknownEvent, match=f"position {position} .*ServerTeleported"):
            cloud.servers.list()
    assert cloud.servers.view.status() == (position - 1, position + 1, 2, 2)
    assert [server.name for server in cloud.servers.view.servers()] == ["whole", "cut"]
    assert cloud.servers.get(whole).name == "behind it"
    with pytest.raises(UnknownEvent):
        cloud.servers.get(cut)


# At the head


def test_lag_is_how_many_events_the_view_has_not_seen(cloud, view):
    assert view.status() == (0, 0, 0, 0)
    cloud.rename(cloud.create(), "again")
    assert view.status() == (0, 2, 2, 0)
    view.catch_up()
    assert view.status() == (2, 2, 0, 1)


def test_the_list_of_a_view_at_the_head_waits_for_no_writer(cloud, monkeypatch):
    cloud.create("one")
    assert len(cloud.servers.list()) == 1
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.05")
    with closing(sqlite3.connect(cloud.view_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Cloud(cloud.url) as fresh:
            assert len(cloud.servers.list()) == len(fresh.servers.list()) == 1
            cloud.create("two")
            with pytest.raises(StoreLocked, match=r"\.view\.db is locked .*0\.05 s"):
                fresh.servers.list()
        other.execute("ROLLBACK")
    assert len(cloud.servers.list()) == 2


def test_a_list_at_the_head_writes_nothing(cloud):
    cloud.create()
    cloud.servers.list()
    with closing(sqlite3.connect(cloud.view_path)) as outsider:
        before = outsider.execute("PRAGMA data_version").fetchone()
        cloud.servers.list()
        assert outsider.execute("PRAGMA data_version").fetchone() == before
        cloud.create()
        cloud.servers.list()
        assert outsider.execute("PRAGMA data_version").fetchone() != before


def test_a_view_keeps_the_hash_of_the_row_on_which_it_stands(cloud, view):
    cloud.rename(cloud.create(), "again")
    view.catch_up()
    with closing(sqlite3.connect(cloud.view_path)) as outsider:
        found = outsider.execute("SELECT position, row_hash FROM generations").fetchall()
    with cloud.store.reading() as log:
        assert found == [(2, log.row_hash(2))]


def test_refusals_are_covered_and_passed_over(cloud, view):
    server_id = cloud.create("web")
    for _ in range(5):
        with pytest.raises(Refused):
            cloud.servers.start(server_id)
    cloud.rename(server_id, "web renamed")

    with cloud.store.reading() as log:
        page = log.facts(1, 3)
        assert (page.events, page.last) == ([], 4)
        assert [event.position for event in log.facts(1, 10).events] == [7]
    view.catch_up()
    assert view.servers() == cloud.folded()
    assert view.status() == (7, 7, 0, 1)
