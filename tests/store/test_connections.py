"""One store shared: by threads, under asyncio, after a fork, with a lock that others hold."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import Context, InvalidInput, Servers, StoreError, StoreLocked, StoreMissing
from serverdomain.store.sqlite import connections
from serverdomain.testing.store_contract import SERVER, adopted


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.db"


@pytest.fixture(params=["file", "memory"])
def servers(request: pytest.FixtureRequest, path: Path) -> Iterator[Servers]:
    with Servers.open("memory:" if request.param == "memory" else f"sqlite:///{path}") as servers:
        servers.register(adopted())
        yield servers


@pytest.fixture
def in_a_file(path: Path) -> Iterator[Servers]:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        yield servers


def test_threads_share_one_store(servers: Servers) -> None:
    def work(number: int) -> int:
        servers.update_metadata(SERVER, {f"key {number}": "x"})
        servers.list()
        return servers.get(SERVER).version

    with ThreadPoolExecutor(16) as threads:
        versions = list(threads.map(work, range(100)))

    assert max(versions) == 101
    assert len(servers.get(SERVER).metadata) == 100
    assert [entry.version for entry in servers.history(SERVER)] == list(range(1, 102))


def test_it_is_used_under_asyncio_by_threads(servers: Servers) -> None:
    async def work() -> list[str]:
        await asyncio.gather(
            *(
                asyncio.to_thread(servers.update_metadata, SERVER, {f"key {number}": "x"})
                for number in range(20)
            )
        )
        return sorted((await asyncio.to_thread(servers.get, SERVER)).metadata)

    assert asyncio.run(work()) == sorted(f"key {number}" for number in range(20))


def test_after_a_fork_it_is_refused_with_words_and_the_parent_goes_on(path: Path) -> None:
    # In a process of its own: forking one that has threads is nobody's business here.
    script = """
import os, sys
from serverdomain import Servers, StoreError
from serverdomain.testing.store_contract import SERVER, adopted

with Servers.open(sys.argv[1]) as servers:
    servers.register(adopted())
    servers.list()
    child = os.fork()
    if child == 0:
        said = []
        for ask in (servers.get, servers.stop, lambda _: servers.list()):
            try:
                ask(SERVER)
            except StoreError as error:
                said.append("forked" in str(error))
        servers.close()
        with Servers.open(sys.argv[1]) as anew:
            said.append(anew.get(SERVER).status == "ACTIVE")
        sys.exit(0 if said == [True] * 4 else 1)
    assert os.waitpid(child, 0)[1] == 0
    servers.stop(SERVER)
    assert servers.get(SERVER).status == "SHUTOFF"
with Servers.open(sys.argv[1]) as servers:
    assert servers.get(SERVER).status == "SHUTOFF"
"""
    said = subprocess.run(
        [sys.executable, "-c", script, f"sqlite:///{path}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.returncode, said.stderr) == (0, "")


def test_a_closed_store_says_so(servers: Servers) -> None:
    servers.close()

    for ask in (servers.get, servers.stop):
        with pytest.raises(StoreError, match="closed"):
            ask(SERVER)
    servers.close()


def test_who_has_waited_elsewhere_waits_for_the_lock_only_what_is_left(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "86400")
    with (
        Servers.open(path) as servers,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked), servers._log.writing(0):
            pass
        other.execute("ROLLBACK")
        servers.register(adopted())


def test_a_lock_is_waited_for_and_then_told_in_one_line(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{path}"
    with Servers.open(url) as servers:
        servers.register(adopted())
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.05")
    with (
        Servers.open(url) as servers,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked) as locked:
            servers.stop(SERVER)
        assert servers.get(SERVER).status == "ACTIVE"
        other.execute("ROLLBACK")
        servers.stop(SERVER)

    assert "waited 0.05 s for it (SERVERDOMAIN_LOCK_TIMEOUT)" in str(locked.value)
    assert "\n" not in str(locked.value)


@pytest.mark.parametrize("seconds", ["", "soon", "0", "-1", "1e9", "nan"])
def test_a_lock_timeout_that_is_no_time_is_refused(
    seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", seconds)

    with pytest.raises(InvalidInput, match=r"^SERVERDOMAIN_LOCK_TIMEOUT: "):
        Servers.open("memory:")


def test_a_full_disk_refuses_and_leaves_nothing_half(path: Path) -> None:
    # The largest file that this process may write stands in for the disk.
    script = """
import resource, signal, sys
from serverdomain import Servers, StoreError
from serverdomain.testing.store_contract import SERVER, adopted

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Servers.open(sys.argv[1]) as servers:
    servers.register(adopted())
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, 250_000))
    done = 0
    try:
        while True:
            servers.replace_metadata(SERVER, {"n": str(done), "filler": "x" * 255})
            done += 1
    except StoreError as error:
        print(done, str(error).replace(chr(10), "|"))
"""
    said = subprocess.run(
        [sys.executable, "-c", script, f"sqlite:///{path}"],
        capture_output=True,
        text=True,
        check=False,
    )
    done, _, why = said.stdout.strip().partition(" ")

    assert "cloud.db" in why
    assert "|" not in why
    with Servers.open(f"sqlite:///{path}") as servers:
        there = len(servers.history(SERVER)) - 1
        assert int(done) <= there <= int(done) + ("unknown" in why)
        servers.stop(SERVER)
        assert servers.list() == [servers.get(SERVER)]


def test_a_disk_that_is_full_is_named_and_the_store_goes_on_once_there_is_room(
    in_a_file: Servers,
) -> None:
    with in_a_file._log.connections.writing() as writer:
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages}")
    much = {str(key): "x" * 255 for key in range(128)}
    with pytest.raises(StoreError, match=r"cloud\.db cannot grow: the disk is full"):
        in_a_file.replace_metadata(SERVER, much, Context(request_id="req-1"))
    assert len(in_a_file.history(SERVER)) == 1

    with in_a_file._log.connections.writing() as writer:
        writer.execute("PRAGMA max_page_count = 1000000")
    accepted = in_a_file.replace_metadata(SERVER, much, Context(request_id="req-1"))
    assert (accepted.replayed, accepted.server.version) == (False, 2)


def test_every_connection_syncs_at_commits_and_writes_ahead(in_a_file: Servers) -> None:
    connections = in_a_file._log.connections
    with connections.reading() as reader, connections.writing() as writer:
        for connection in (reader, writer):
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_reader_never_waits_for_the_writer(in_a_file: Servers) -> None:
    with in_a_file._log.connections.writing() as writer:
        writer.execute("INSERT INTO commands SELECT NULL, kind, server_id, members, user_id,"
                       " project_id, roles, 'req-x', NULL, NULL, occurred_at, recorded_at, 0"
                       " FROM commands")  # fmt: skip
        assert in_a_file.get(SERVER).version == 1


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_acknowledged_in_a_file_that_left_its_place(
    in_a_file: Servers, path: Path, tmp_path: Path, replaced: bool
) -> None:
    with Servers.open(f"sqlite:///{tmp_path / 'other.db'}") as other:
        other.register(adopted())
    path.rename(tmp_path / "aside.db")
    if replaced:
        (tmp_path / "other.db").rename(path)

    with pytest.raises(StoreMissing, match="open it anew" if replaced else "is gone"):
        in_a_file.rename(SERVER, "lost")

    (tmp_path / "aside.db").replace(path)
    assert in_a_file.rename(SERVER, "kept").server.name == "kept"


def test_so_many_connections_are_kept_for_later_readers(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_IDLE", 2)
    with Servers.open(f"sqlite:///{path}") as servers:
        opened = servers._log.connections
        with opened.reading(), opened.reading(), opened.reading():
            pass
        assert len(opened.open.idle) == 2
