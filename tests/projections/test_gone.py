"""A view's file may go at any time, whoever has it open: it is made anew, by one at a time."""

import logging
import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from serverdomain import Servers, StoreForeign
from tests.projections.cloud import Cloud, Process, generations, rows


@pytest.fixture
def cloud(kept_url):
    with Cloud(kept_url) as cloud:
        for number in range(12):
            cloud.create(f"server {number}")
        cloud.servers.list()
        yield cloud


def remove(path, *suffixes):
    for suffix in suffixes:
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


@pytest.mark.parametrize("suffixes", [("",), ("", "-wal"), ("", "-wal", "-shm")])
def test_a_file_that_somebody_removed_is_made_anew(cloud, caplog, suffixes):
    remove(cloud.view_path, *suffixes)
    cloud.create("one more")
    assert cloud.servers.list() == cloud.folded()
    assert len(rows(cloud.view_path)) == 13
    ((logger, level, line),) = caplog.record_tuples
    assert (logger, level) == ("serverdomain", logging.WARNING)
    assert line == f"{cloud.view_path} is gone: made anew and replayed from zero"


@pytest.mark.parametrize("suffixes", [("",), ("-wal",), ("", "-wal")])
def test_a_file_that_somebody_emptied_is_made_anew(cloud, suffixes, monkeypatch):
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "2")
    with Servers.open(cloud.url) as other:
        other.list()
        for suffix in suffixes:
            os.truncate(f"{cloud.view_path}{suffix}", 0)
        cloud.create("one more")
        assert cloud.servers.list() == other.list() == cloud.folded()
        with Servers.open(cloud.url) as fresh:
            assert fresh.list() == cloud.folded()
    assert len(rows(cloud.view_path)) == 13


@pytest.mark.parametrize("suffixes", [("",), ("", "-wal")])
def test_so_it_is_by_another_process_while_who_has_it_open_does_nothing(
    cloud, suffixes, monkeypatch
):
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "2")
    for suffix in suffixes:
        os.truncate(f"{cloud.view_path}{suffix}", 0)
    with Process(LISTS, cloud.url) as process:
        assert process.hear() == 12
    assert cloud.servers.list() == cloud.folded()


READS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT * FROM server").fetchone()
print(1, flush=True)
input()
"""


def test_so_it_is_while_another_program_reads_the_old_file(cloud):
    with Process(READS, cloud.view_path) as reader:
        reader.hear()
        remove(cloud.view_path, "")
        cloud.create("one more")
        assert cloud.servers.list() == cloud.folded()
        assert len(rows(cloud.view_path)) == 13


def test_so_is_a_given_one(cloud, tmp_path):
    given = tmp_path / "given.db"
    view = cloud.view(given)
    remove(given, "", "-wal", "-shm")
    view.replay()
    remove(given, "", "-wal", "-shm")
    assert view.status() == (12, 12, 0, 12)
    assert len(rows(given)) == 12
    view.close()


def test_what_is_put_in_its_place_is_not_touched(cloud, tmp_path):
    (tmp_path / "other").mkdir()
    with Cloud(tmp_path / "other") as other:
        other.create("of another log")
        other.servers.list()
    remove(cloud.view_path, "", "-wal", "-shm")
    other.view_path.replace(cloud.view_path)
    before = cloud.view_path.read_bytes()
    with pytest.raises(StoreForeign, match="another log"):
        cloud.servers.list()
    assert cloud.view_path.read_bytes() == before


def test_a_file_removed_in_the_middle_of_a_replay_is_made_anew(cloud):
    view = cloud.view(page=5)
    told = []

    def remove_once(position, head):
        told.append(position)
        if len(told) == 1:
            remove(cloud.view_path, "", "-wal", "-shm")

    view.replay(remove_once)
    assert told == [5, 5, 10, 12]
    assert view.servers() == cloud.folded()
    assert len(rows(cloud.view_path)) == 12
    view.close()


def test_two_that_have_it_open_go_on_with_the_same_new_file(cloud):
    with Servers.open(cloud.url) as other:
        other.list()
        remove(cloud.view_path, "", "-wal", "-shm")
        cloud.create("one more")
        assert cloud.servers.list() == other.list() == cloud.folded()
        remaining = cloud.create("and one more")
        other.list()
        assert (remaining, "and one more") in rows(cloud.view_path)
        assert cloud.servers.view.status().lag == 0


def test_threads_go_on_while_the_file_is_removed_again_and_again(cloud):
    def work(number):
        server_id = cloud.servers.create(cloud.creation(f"by thread {number}")).id
        if number % 4 == 0:
            remove(cloud.view_path, "", "-wal", "-shm")
        return server_id in {server.id for server in cloud.servers.list()}

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(40)))
    assert cloud.servers.list() == cloud.folded()


LISTS = """
import json, logging, sys
from serverdomain import Servers
logging.basicConfig(stream=sys.stderr)
with Servers.open(sys.argv[1]) as servers:
    servers.list()
    while True:
        print(json.dumps(len(servers.list())), flush=True)
        if not input():
            continue
"""


@pytest.mark.parametrize("times", [2, pytest.param(40, marks=pytest.mark.slow)])
def test_processes_that_find_it_damaged_at_once_go_on_with_one_file(cloud, times):
    chance = random.Random(times)
    with (
        Process(LISTS, cloud.url) as one,
        Process(LISTS, cloud.url) as two,
        Process(LISTS, cloud.url) as three,
    ):
        processes = (one, two, three)
        for process in processes:
            assert process.hear() == 12
        for number in range(times):
            with cloud.view_path.open("r+b") as file:
                file.seek(4096)
                file.write(chance.randbytes(cloud.view_path.stat().st_size - 4096))
            cloud.create(f"more {number}")
            for process in processes:
                process.tell()
            expected = cloud.folded()
            assert [process.hear() for process in processes] == [len(expected)] * 3
            assert cloud.servers.list() == expected
            assert len(rows(cloud.view_path)) == len(expected)
    assert len(generations(cloud.view_path)) == 1
