"""A process may be killed anywhere: what it leaves is a view that catches up to the right rows."""

import random
import sqlite3
from contextlib import closing

import pytest

from serverdomain.domain import events as e
from tests.projections.cloud import Cloud, Process, generations, rows

# It follows, replays and appends without end, and says so after each page.
WORKS = """
import sys
from serverdomain import CreateServer, Servers
from serverdomain.store.opening import open_log
from serverdomain.projections.server_view import ServerView

store = open_log(sys.argv[1])
view = ServerView(store, None, 2)
servers = Servers(store)

def say(*what):
    print(1, flush=True)

say()
while True:
    view.replay(say)
    server_id = servers.create(
        CreateServer(name="new", image_id="70a599e0-31e7-49b7-b260-868f441e862b", flavor_id="1")
    ).id
    say()
    view.catch_up()
    say()
    servers.rename(server_id, "renamed")
    view.catch_up()
    servers.delete(server_id)
    say()
    view.catch_up()
"""


def sound(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_a_view_whose_process_was_killed_catches_up_to_the_right_rows(kept_url, kills):
    chance = random.Random(kills)
    with Cloud(kept_url) as cloud:
        for name in "abcdef":
            cloud.create(name)
        early = cloud.clock.now
        server_id = cloud.create("late facts")
        cloud.servers.record(server_id, [e.ServerRenamed("early")], occurred_at=early)
    for _ in range(kills):
        with Process(WORKS, cloud.url) as process:
            # The last word is heard while the next page is under way.
            for _ in range(chance.randrange(1, 25)):
                process.hear()
        assert sound(cloud.view_path)
        with Cloud(kept_url) as after:
            # The position that it left is that of its rows.
            view = after.view()
            assert view.servers() == after.folded(view.status().position)
            assert after.servers.list() == after.folded()
            view.close()
    with Cloud(kept_url) as cloud:
        cloud.servers.view.replay()
        assert len(generations(cloud.view_path)) == 1
        assert len(rows(cloud.view_path)) == len(cloud.folded())


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_a_view_whose_making_was_killed_is_made_by_the_next(kept_url, kills):
    with Cloud(kept_url) as cloud:
        cloud.create()
    chance = random.Random(kills)
    for _ in range(kills):
        for path in cloud.view_path.parent.glob(f"{cloud.view_path.name}*"):
            path.unlink()
        with Process(MAKES, cloud.url, chance.randrange(60)) as process:
            process.popen.wait()
        with Cloud(kept_url) as after:
            assert after.servers.list() == after.folded()
        assert not list(cloud.view_path.parent.glob("*.damaged"))


# Killed when SQLite has done so many steps of its work, wherever that is.
MAKES = """
import os, signal, sqlite3, sys
from serverdomain import Servers

connect, steps = sqlite3.connect, iter(range(int(sys.argv[2])))

def step():
    if next(steps, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)

def counting(*arguments, **named):
    connection = connect(*arguments, **named)
    if ".view." in str(arguments[0]):
        connection.set_progress_handler(step, 20)
    return connection

with Servers.open(sys.argv[1], create=False) as servers:
    sqlite3.connect = counting
    while True:
        servers.view.replay()
"""
