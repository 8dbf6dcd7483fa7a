"""Where the views of a store lie that is only read."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import AsOf, Servers
from serverdomain.store import cache_folder
from serverdomain.testing.contract import SERVER, adopted


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "serverdomain"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "medium").mkdir()
    store = tmp_path / "medium" / "cloud.db"
    with Servers.open(store) as servers:
        servers.register(adopted())
    return store


def asked(store: Path) -> Path | None:
    """Ask what needs a view, and where that lies."""
    with Servers.open(store, read_only=True) as servers:
        assert [one.id for one in servers.list()] == [SERVER]
        assert len(list(servers.timeline.search())) == 1
        with servers.fleet(as_of=AsOf(position=1)) as fleet:
            assert len(fleet.servers()) == 1
        return servers.view.path


def test_in_a_folder_for_each_log_and_file_that_nobody_else_may_read(
    store: Path, cache: Path
) -> None:
    copy = store.with_name("copy.db")
    shutil.copy(store, copy)
    one, other = asked(store), asked(copy)

    assert one is not None
    assert other is not None
    assert one.parent.parent == other.parent.parent == cache
    assert one.parent != other.parent
    assert {path.stat().st_mode & 0o777 for path in (cache, one.parent)} == {0o700}
    assert (one.name, other.name) == ("cloud.view.db", "copy.view.db")
    assert asked(store) == one, "the same one again"
    assert {path.name for path in store.parent.iterdir()} == {"cloud.db", "copy.db"}


def test_another_log_of_the_same_name_has_another_folder(store: Path) -> None:
    before = asked(store)
    store.unlink()
    with Servers.open(store) as servers:
        servers.register(adopted())
    assert asked(store) != before


def test_a_symbolic_link_leads_to_the_same_folder(store: Path) -> None:
    link = store.with_name("link.db")
    link.symlink_to(store)
    one, other = asked(store), asked(link)
    assert one is not None
    assert other is not None
    assert one.parent == other.parent


def test_what_others_could_read_is_closed_to_them(store: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o755)
    asked(store)
    assert cache.stat().st_mode & 0o777 == 0o700


def test_a_relative_place_is_overlooked(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = asked(store)
    assert found is not None
    assert found.is_relative_to(tmp_path / "home" / ".cache" / "serverdomain")


def test_the_folders_that_were_unused_for_longest_go(
    store: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate(["oldest", "older", "old"]):
        (cache / name).mkdir(parents=True)
        (cache / name / "cloud.view.db").write_bytes(bytes(1_000))
        os.utime(cache / name, (number, number))
    monkeypatch.setattr(cache_folder, "MOST", 2_500)
    found = asked(store)

    assert found is not None
    assert {path.name for path in cache.iterdir()} == {"older", "old", found.parent.name}


def test_a_folder_that_alone_is_too_large_begins_anew(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = asked(store)
    assert before is not None
    before.with_name("more").write_bytes(bytes(1_000))
    monkeypatch.setattr(cache_folder, "MOST", 900)
    assert asked(store) == before
    assert not before.with_name("more").exists()


@pytest.mark.parametrize("what", ["file", "nowhere"])
def test_where_there_can_be_none_views_are_kept_in_memory(
    store: Path, cache: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if what == "file":
        cache.parent.write_text("no folder")
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert asked(store) is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give")
def test_what_is_another_users_is_not_used(store: Path, cache: Path) -> None:
    cache.mkdir(parents=True, mode=0o700)
    os.chown(cache, 65534, 65534)
    assert asked(store) is None


def test_a_log_without_its_id_has_none(store: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER log_no_delete")
        connection.execute("DELETE FROM log")
    with Servers.open(store, read_only=True) as servers:
        assert servers.get(SERVER).id == SERVER
        assert len(servers.history(SERVER)) == 1
        assert "the log does not have the one id" in str(servers.check())
