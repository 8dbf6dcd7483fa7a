"""Whoever is far behind writes many pages together, each row once; what is held has a bound."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from serverdomain.domain import events as e
from serverdomain.projections import following, generations
from serverdomain.projections.server_rows import INDEXED, SERVERS
from serverdomain.projections.timeline import Timeline
from serverdomain.projections.view_place import ViewPlace
from tests.projections.cloud import Cloud, change, rows


@pytest.fixture
def cloud(kept_url):
    """Servers that are renamed, deleted and told of too late, an event or two a page."""
    with Cloud(kept_url) as cloud:
        ids = [cloud.create(name) for name in ("one", "two", "three", "four")]
        early = cloud.clock.now - timedelta(seconds=1)
        cloud.rename(ids[0], "1", "2", "3")
        cloud.servers.delete(ids[1])
        cloud.servers.record(ids[0], [e.ServerRenamed("late")], occurred_at=early)
        cloud.rename(ids[2], "4")
        cloud.servers.record(ids[1], [e.ServerRenamed("of a deleted one")])
        yield cloud


def moves(path):
    """Note in a view's file every position that is written to it."""
    change(path, "CREATE TABLE moves (position)")
    change(
        path,
        "CREATE TRIGGER moved AFTER UPDATE OF position ON generations"
        " BEGIN INSERT INTO moves VALUES (NEW.position); END",
    )


def moved(path):
    with closing(sqlite3.connect(path)) as connection:
        return [position for (position,) in connection.execute("SELECT position FROM moves")]


@pytest.mark.parametrize(
    ("bounds", "positions"),
    [
        ({}, [11]),
        ({"TOGETHER": 2}, [4, 8, 11]),
        ({"WEIGHT": 1}, [2, 4, 6, 8, 10, 11]),
    ],
    ids=["far below the bounds", "so many pages", "so many bytes"],
)
def test_pages_are_written_together_up_to_a_bound(cloud, monkeypatch, bounds, positions):
    for name, most in bounds.items():
        monkeypatch.setattr(following, name, most)
    view = cloud.view(page=2)
    moves(cloud.view_path)
    view.catch_up()
    assert moved(cloud.view_path) == positions
    assert view.servers() == cloud.folded()
    view.close()


@pytest.mark.parametrize("together", [1, 2, 64])
def test_a_timeline_is_the_same_however_many_pages_are_written_together(
    cloud, tmp_path, monkeypatch, together
):
    monkeypatch.setattr(following, "TOGETHER", together)
    given = tmp_path / "given.db"
    with closing(Timeline(cloud.store, given, 1)) as timeline:
        found = [(one.position, one.changes) for one in timeline.search()]
    with closing(Timeline(cloud.store, tmp_path / "whole.db")) as whole:
        assert found == [(one.position, one.changes) for one in whole.search()]
    servers = "SELECT * FROM timeline_1_server ORDER BY id"
    with (
        closing(sqlite3.connect(given)) as one,
        closing(sqlite3.connect(tmp_path / "whole.db")) as other,
    ):
        assert one.execute(servers).fetchall() == other.execute(servers).fetchall()


def test_what_is_read_ahead_is_dropped_where_another_wrote_meanwhile(cloud):
    slow, quick = ViewPlace(cloud.store, None, SERVERS).open(), cloud.view()
    with slow.reading() as shown:
        ahead = following.next_advance(cloud.store, shown, generations.live(shown, SERVERS), 2)
    quick.catch_up()
    cloud.create("five")
    with slow.reading() as shown:
        live = generations.live(shown, SERVERS)
        ahead = following.next_advance(cloud.store, shown, live, 2, ahead)
    assert (ahead.seen, ahead.pages, len(ahead.changes.servers)) == (live, 1, 1)
    slow.close()
    quick.close()


def test_the_indexes_are_made_at_the_head(cloud):
    def indexes(number):
        with closing(sqlite3.connect(cloud.view_path)) as connection:
            query = "SELECT 1 FROM pragma_index_list(?) WHERE origin = 'c'"
            return len(connection.execute(query, (f"server_{number}",)).fetchall())

    view = cloud.view(page=2)
    before = []
    view.catch_up(lambda position, head: before.append(indexes(1)))
    view.replay(lambda position, head: before.append(indexes(2)))
    assert set(before[:-1]) == {0, len(INDEXED)}
    assert (before[0], before[-1]) == (0, len(INDEXED))
    assert len(rows(cloud.view_path)) == 3
    view.close()
