"""Where the disk has no room for what is made from a log that is only read, memory has."""

import logging
import re
import sqlite3
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

import pytest

from serverdomain import CreateServer, Servers, StoreError
from serverdomain.audit import reports
from tests.store.small_disk import small_disk

IMAGE = "f90f6034-2570-4974-8351-6b49732ef2eb"
SERVERS = 40


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.db"
    with Servers.open(path) as servers:
        for number in range(SERVERS):
            metadata = {f"{key}": "x" * 200 for key in range(60)}
            servers.create(
                CreateServer(
                    name=f"server {number}", image_id=IMAGE, flavor_id="1", metadata=metadata
                )
            )
    return path


@pytest.mark.parametrize("block", [4096, 1024])
@pytest.mark.parametrize("room", [0, 192 * 1024], ids=["no room", "room for a part"])
def test_it_is_answered_from_memory(
    store: Path,
    tmp_path: Path,
    room: int,
    block: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with small_disk(tmp_path, 2, block) as disk:
        monkeypatch.setenv("XDG_CACHE_HOME", str(disk))
        with Servers.open(store, read_only=True) as servers:
            servers.get(servers.list(limit=1)[0].id)
        _fill(disk, room)
        with (
            caplog.at_level(logging.WARNING, "serverdomain"),
            Servers.open(store, read_only=True) as servers,
        ):
            assert len(servers.list()) == SERVERS
            assert len(list(servers.timeline.search())) == SERVERS
            assert reports.rebuilds(servers.timeline, 10).as_json()
            assert servers.view.status().lag == 0
            assert servers.view.path is None
        told = [one.getMessage() for one in caplog.records]
        kept = r".*\.(view|timeline)\.db .*disk.*; it is kept in memory and replayed from zero"
        assert told != []
        assert all(re.fullmatch(kept, one) for one in told), told


def _fill(disk: Path, room: int) -> None:
    for path in disk.glob("serverdomain/*/*"):
        path.unlink()
    left = disk / "left"
    left.write_bytes(b"x" * room)
    with (disk / "full").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    left.unlink()


def test_at_a_place_that_somebody_chose_a_full_disk_is_told(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path, 2, 4096) as disk:
        _fill(disk, 0)
        with (
            Servers.open(store, read_only=True, view=disk / "view.db") as servers,
            pytest.raises(StoreError, match=r"view\.db cannot grow: the disk is full"),
        ):
            servers.list()
    assert caplog.messages == []


def test_who_may_write_is_told_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with small_disk(tmp_path, 2, 4096) as disk, Servers.open(disk / "cloud.db") as servers:
        servers.create(CreateServer(name="one", image_id=IMAGE, flavor_id="1"))
        _fill(disk, 0)
        with pytest.raises(StoreError, match=r"cloud\.view\.db cannot grow: the disk is full"):
            servers.list()
    assert caplog.messages == []


def test_a_damaged_view_is_made_anew_on_the_disk(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with Servers.open(store, read_only=True) as servers:
        path = servers.view.path
        assert path is not None
        servers.view.catch_up()
        with closing(sqlite3.connect(path)) as somebody:
            somebody.execute("DROP TABLE server_1")
        assert len(servers.list()) == SERVERS
        assert servers.view.path == path


def test_one_that_is_removed_where_no_other_fits_is_told_by_its_path(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path, 2, 1024) as disk:
        monkeypatch.setenv("XDG_CACHE_HOME", str(disk))
        with Servers.open(store, read_only=True) as servers:
            path = servers.view.path
            assert path is not None
            for file in path.parent.iterdir():
                file.unlink()
            _use_up_the_names(disk)
            assert len(servers.list()) == SERVERS
            assert servers.view.path is None
    assert caplog.messages[-1] == f"{path} is gone: made anew and replayed from zero"


def test_where_no_file_can_be_made_at_all_it_is_answered_from_memory(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path, 2, 1024) as disk:
        monkeypatch.setenv("XDG_CACHE_HOME", str(disk))
        with Servers.open(store, read_only=True):
            pass
        _use_up_the_names(disk)
        with Servers.open(store, read_only=True) as servers:
            assert len(servers.list()) == SERVERS
    assert ".lock cannot be locked: No space left on device; it is kept in memory" in caplog.text


def _use_up_the_names(disk: Path) -> None:
    with suppress(OSError):
        for number in count():
            (disk / f"{number}").touch()
