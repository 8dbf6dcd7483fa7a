"""A replay makes all rows anew beside the old ones, which go on being read and followed."""

import sqlite3
from contextlib import closing
from threading import Event, Thread

import pytest

from serverdomain import UnknownEvent
from serverdomain.projections import generations as tables
from serverdomain.projections.server_rows import SERVERS
from serverdomain.projections.view_place import ViewPlace
from tests.projections.cloud import Cloud, Process, change, generations, rows


@pytest.fixture
def cloud(kept_url):
    """Three servers and seven events, and a view at the head."""
    with Cloud(kept_url) as cloud:
        for name in ("one", "two", "three"):
            cloud.create(name)
        cloud.rename(cloud.folded()[0].id, "1", "2", "3", "4")
        cloud.servers.list()
        yield cloud


@pytest.fixture
def view(cloud):
    """The cloud's view, which takes two events at a time."""
    view = cloud.view(page=2)
    yield view
    view.close()


def spoil(path):
    """Make the rows that are shown wrong, so that a replay can be told from none."""
    (number,) = generations(path)
    change(path, f"UPDATE server_{number} SET name = 'spoilt'")


def test_a_replay_makes_all_rows_anew(cloud, view):
    spoil(cloud.view_path)
    view.replay()
    assert rows(cloud.view_path) == sorted((s.id, s.name) for s in cloud.folded())
    assert view.status() == (7, 7, 0, 3)


def test_progress_is_told_after_each_page(view):
    told = []
    view.replay(lambda position, head: told.append((position, head)))
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]


def test_progress_of_an_empty_log_is_told_once(kept_url):
    with Cloud(kept_url) as cloud:
        told = []
        cloud.servers.view.replay(lambda position, head: told.append((position, head)))
        assert told == [(0, 0)]


def test_the_old_rows_are_read_and_followed_meanwhile(cloud, view):
    # From inside the callback: nothing is locked between two pages.
    spoil(cloud.view_path)
    seen = []

    def look(position, head):
        server_id = cloud.create(f"at {position}") if len(seen) < 3 else None
        names = {server.name for server in cloud.servers.list()}
        shown = {name for _, name in rows(cloud.view_path)}
        seen.append((shown >= {"spoilt"}, server_id is None or f"at {position}" in names & shown))

    view.replay(look)
    assert seen[:-1] == [(True, True)] * (len(seen) - 1)
    assert seen[-1] == (False, True)
    assert view.servers() == cloud.folded()


def test_no_open_reader_notices_a_switch(cloud, view):
    expected = sorted(s.id for s in cloud.folded())
    done, reading = Event(), Event()
    wrong = []

    def read():
        with closing(sqlite3.connect(cloud.view_path, isolation_level=None)) as connection:
            while not done.is_set():
                found = connection.execute("SELECT id, name FROM server").fetchall()
                if sorted(server_id for server_id, _ in found) != expected:
                    wrong.append(found)
                reading.set()

    readers = [Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(15):
            reading.clear()
            view.replay(lambda position, head: reading.wait(10))
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert generations(cloud.view_path) == [16]


def test_an_open_transaction_reads_on_what_it_began_with(cloud, view):
    with closing(sqlite3.connect(cloud.view_path, isolation_level=None)) as outsider:
        statement = "SELECT name FROM server ORDER BY name"
        outsider.execute("BEGIN")
        before = outsider.execute(statement).fetchall()
        half_read = outsider.execute("SELECT id FROM server")
        half_read.fetchone()
        cloud.rename(cloud.folded()[0].id, "renamed")
        view.replay()
        assert len(half_read.fetchall()) == 2
        assert outsider.execute(statement).fetchall() == before
        outsider.execute("COMMIT")
        assert ("renamed",) in outsider.execute(statement).fetchall()


# Several at once


def test_of_two_replays_at_once_the_later_one_stays(cloud, view):
    begun = []

    def begin_another(position, head):
        if not begun:
            begun.append(generations(cloud.view_path))
            cloud.servers.view.replay()

    spoil(cloud.view_path)
    view.replay(begin_another)
    assert begun == [[1, 2]]
    assert generations(cloud.view_path) == [3]
    assert view.servers() == cloud.folded()


def test_an_earlier_replay_that_ends_first_leaves_a_later_one_to_go_on(cloud, view):
    later = ViewPlace(cloud.store, None, SERVERS).open()
    told = []

    def begin_a_later_one(position, head):
        told.append(position)
        if len(told) == 1:
            with later.writing() as connection:
                tables.begin(connection, SERVERS)

    view.replay(begin_a_later_one)
    assert generations(cloud.view_path) == [2, 3]
    view.replay()
    assert generations(cloud.view_path) == [4]
    assert view.servers() == cloud.folded()
    later.close()


REPLAYS = """
import sys
from serverdomain.store.opening import open_log
from serverdomain.projections.server_view import ServerView
store = open_log(sys.argv[1])
view = ServerView(store, None, 1)
print(1, flush=True)
input()
view.replay()
view.catch_up()
print(view.status().lag, flush=True)
view.close()
store.close()
"""


def test_processes_replay_while_another_appends_and_follows(cloud):
    with Process(REPLAYS, cloud.url) as one, Process(REPLAYS, cloud.url) as other:
        for process in (one, other):
            process.hear()
        for process in (one, other):
            process.tell()
        for number in range(20):
            cloud.create(f"meanwhile {number}")
            assert cloud.servers.list() == cloud.folded()
            # Whatever they switched to since, it was no step back.
            assert rows(cloud.view_path) == sorted((s.id, s.name) for s in cloud.folded())
        for process in (one, other):
            process.hear()
            process.end()
    assert len(generations(cloud.view_path)) == 1
    assert cloud.servers.list() == cloud.folded()


# Left over, and stopped


class Stopped(Exception):
    """Somebody interrupts."""


def test_what_a_replay_that_was_interrupted_left_over_is_dropped_by_the_next(cloud, view):
    def interrupt(position, head):
        raise Stopped

    for _ in range(2):
        with pytest.raises(Stopped):
            view.replay(interrupt)
    assert generations(cloud.view_path) == [1, 2, 3]
    assert view.servers() == cloud.folded()
    view.replay()
    assert generations(cloud.view_path) == [4]
    assert view.servers() == cloud.folded()


def test_a_replay_stopped_by_an_event_of_a_newer_release_shows_what_it_could_read(cloud, view):
    server_id = cloud.folded()[0].id
    position = cloud.append_newer(server_id)
    spoil(cloud.view_path)
    with pytest.raises(UnknownEvent, match=f"position {position}"):
        view.replay()
    assert "spoilt" not in {server.name for server in view.servers()}
    assert view.status() == (position - 1, position, 1, 3)
    assert len(generations(cloud.view_path)) == 1


def test_a_replay_that_may_not_go_as_far_as_the_old_rows_leaves_them(cloud, view):
    # A newer release has followed further than this one can.
    position = cloud.append_newer(cloud.folded()[0].id)
    file = ViewPlace(cloud.store, None, SERVERS).open()
    with cloud.store.reading() as log:
        row_hash = log.row_hash(position)
    with file.writing() as connection:
        live = tables.live(connection, SERVERS)
        assert tables.move(connection, live, position, row_hash)
    with pytest.raises(UnknownEvent):
        view.replay()
    assert view.status() == (position, position, 0, 3)
    view.catch_up()
    file.close()
