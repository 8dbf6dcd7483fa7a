"""Where a view lies: made where there is none, anew where it is ours to lose, else untouched."""

import hashlib
import logging
import os
import random
import re
import shutil
import sqlite3
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from serverdomain import (
    Servers,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreLocked,
    StoreMissing,
)
from serverdomain.projections.server_rows import SERVERS
from tests.projections.cloud import Cloud, change, rows
from tests.store.nobody import nobody


@pytest.fixture
def cloud(kept_url):
    """A cloud of twelve servers, closed."""
    with Cloud(kept_url) as cloud:
        for number in range(12):
            cloud.create(f"server {number}")
    return cloud


def listed(cloud, view=None):
    """What a fresh process lists, and what it should."""
    fresh = Cloud(cloud.url)
    with fresh, Servers.open(cloud.url, view=view) as servers:
        return servers.list(), fresh.folded()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# Made


def test_a_view_is_made_beside_its_store(cloud, caplog):
    shown, expected = listed(cloud)
    assert shown == expected
    assert cloud.view_path.exists()
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("store", "view"),
    [
        ("cloud.db", "cloud.view.db"),
        ("cloud", "cloud-view.db"),
        ("cloud.sqlite", "cloud.sqlite-view.db"),
        (".db", ".db-view.db"),
        ("a b?c#d%20e.db", "a b?c#d%20e.view.db"),
        ("wölkchen.db", "wölkchen.view.db"),
    ],
)
def test_it_bears_its_stores_name(tmp_path, store, view):
    with Cloud(tmp_path, store) as cloud:
        cloud.create()
        assert cloud.servers.list() == cloud.folded()
    lock = f"{store}._view.lock"  # Which stays, as a reaction's does.
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([store, view, lock])


def test_it_may_be_given_any_name(cloud, tmp_path):
    given = tmp_path / "my view?x=1#y%41 .db"
    shown, expected = listed(cloud, given)
    assert shown == expected
    assert rows(given, "count(*)") == [(12,)]
    assert not cloud.view_path.exists()


def test_a_relative_path_stays_where_it_was_given(cloud, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Servers.open(cloud.url, view="given.db") as servers:
        path = servers.view.path
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert len(servers.list()) == 12
    assert path == tmp_path / "given.db"
    assert path.exists()


def test_an_empty_file_counts_as_missing(cloud, tmp_path):
    for path in (cloud.view_path, tmp_path / "given.db"):
        path.touch()
        shown, expected = listed(cloud, path)
        assert shown == expected


def test_the_view_of_a_store_in_memory_is_in_memory():
    with Cloud() as cloud:
        cloud.create()
        assert cloud.servers.view.path is None
        assert cloud.servers.list() == cloud.folded()
        cloud.servers.view.replay()
        assert cloud.servers.view.status() == (1, 1, 0, 1)


def test_a_view_of_a_store_in_memory_may_be_given_a_file(tmp_path):
    with Cloud() as cloud:
        cloud.create("in memory")
        view = cloud.view(tmp_path / "given.db")
        view.catch_up()
        assert [name for _, name in rows(tmp_path / "given.db")] == ["in memory"]
        view.close()


def test_what_another_file_left_behind_is_not_taken_for_the_new_ones(cloud, tmp_path):
    with Cloud(cloud.url) as open_cloud:
        open_cloud.servers.list()
        for suffix in ("-wal", "-shm"):
            left = cloud.view_path.with_name(f"{cloud.view_path.name}{suffix}")
            shutil.copy(left, tmp_path / f"left{suffix}")
    cloud.view_path.unlink()
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"left{suffix}").rename(
            cloud.view_path.with_name(f"{cloud.view_path.name}{suffix}")
        )
    shown, expected = listed(cloud)
    assert shown == expected


# Anew


def test_the_shape_of_the_rows_grows_with_the_schemas_number(cloud):
    """Who changes the shape raises the number: else old files would keep theirs."""
    listed(cloud)
    with closing(sqlite3.connect(cloud.view_path)) as outsider:
        made = outsider.execute(
            "SELECT sql FROM sqlite_master"
            " WHERE (tbl_name LIKE 'server%' OR tbl_name LIKE 'gone%') AND sql IS NOT NULL"
            " ORDER BY type, sql"
        ).fetchall()
    shape = re.sub(r"\s+", " ", re.sub(r"server_\w+", "rows", "; ".join(sql for (sql,) in made)))
    assert (SERVERS.schema, hashlib.sha256(shape.encode()).hexdigest()[:12]) == (
        4,
        "4cf645674814",
    ), shape


def test_a_view_of_another_schema_is_replayed_by_itself(cloud, monkeypatch, caplog):
    listed(cloud)
    ours = SERVERS.schema
    for before, schema in ((ours, ours + 1), (ours + 1, ours)):
        monkeypatch.setattr(SERVERS, "schema", schema)
        change(cloud.view_path, "CREATE TABLE more (x)", "CREATE VIEW shown AS SELECT x FROM more")
        caplog.clear()
        shown, expected = listed(cloud)
        assert shown == expected
        ((logger, level, line),) = caplog.record_tuples
        assert (logger, level) == ("serverdomain", logging.WARNING)
        assert line == (
            f"{cloud.view_path} has schema {before}, this release's views have {schema}: "
            "replayed from zero"
        )
        with closing(sqlite3.connect(cloud.view_path)) as outsider:
            assert outsider.execute("PRAGMA user_version").fetchone() == (schema,)
            found = outsider.execute("SELECT 1 FROM sqlite_master WHERE name = 'more'").fetchall()
            assert found == []


def test_it_stays_the_file_that_another_has_open(cloud, monkeypatch):
    listed(cloud)
    with closing(sqlite3.connect(cloud.view_path)) as another:
        another.execute("SELECT * FROM server").fetchone()
        before = cloud.view_path.stat().st_ino
        monkeypatch.setattr(SERVERS, "schema", SERVERS.schema + 1)
        shown, expected = listed(cloud)
        assert shown == expected
        assert cloud.view_path.stat().st_ino == before


def garbage_in_the_header(path):
    data = path.read_bytes()
    path.write_bytes(random.Random(1).randbytes(100) + data[100:])


def garbage_behind_the_magic(path):
    data = path.read_bytes()
    path.write_bytes(data[:16] + b"\xff" * 52 + data[68:])


def garbage_in_the_pages(path):
    data = path.read_bytes()
    path.write_bytes(data[:4096] + random.Random(2).randbytes(len(data) - 4096))


def zeros_in_the_pages(path):
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))


def cut_in_half(path):
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def cut_in_the_header(path):
    os.truncate(path, 99)


def text(path):
    path.write_text("no database\n" * 100)


def no_server_in_a_row(path):
    change(path, "UPDATE server_1 SET server = '{\"id\": 1}'")


def no_text_in_a_row(path):
    change(path, "UPDATE server_1 SET server = CAST(x'ff80' AS TEXT)")


def no_rows_at_all(path):
    change(path, "DROP VIEW server", "DROP TABLE server_1")


def no_live_generation(path):
    change(path, "UPDATE generations SET live = 0")


def no_position(path):
    change(path, "UPDATE generations SET position = 'x'")


def no_hash(path):
    change(path, "UPDATE generations SET row_hash = x'ff'")


def no_log_named(path):
    change(path, "DROP TABLE follows")


DAMAGES = [
    garbage_in_the_header,
    garbage_behind_the_magic,
    garbage_in_the_pages,
    zeros_in_the_pages,
    cut_in_half,
    cut_in_the_header,
    text,
    no_server_in_a_row,
    no_text_in_a_row,
    no_rows_at_all,
    no_live_generation,
    no_position,
    no_hash,
    no_log_named,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_view_at_its_default_place_is_made_anew(cloud, caplog, damage):
    listed(cloud)
    damage(cloud.view_path)
    damaged = cloud.view_path.read_bytes()
    shown, expected = listed(cloud)
    assert shown == expected
    ((logger, level, line),) = caplog.record_tuples
    assert (logger, level) == ("serverdomain", logging.WARNING)
    assert str(cloud.view_path) in line
    assert "and replayed from zero" in line
    assert "\n" not in line
    aside = cloud.view_path.with_name(f"{cloud.view_path.name}.damaged")
    assert f"put aside as {aside.name} " in line
    assert aside.read_bytes() == damaged
    caplog.clear()
    assert listed(cloud) == (expected, expected)
    assert caplog.messages == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_view_at_a_given_place_is_refused_untouched(cloud, caplog, tmp_path, damage):
    given = tmp_path / "given.db"
    listed(cloud, given)
    damage(given)
    before = given.read_bytes()
    with pytest.raises(StoreDamaged, match=r"name another file, or remove .*given\.db") as refusal:
        listed(cloud, given)
    assert "\n" not in str(refusal.value)
    assert given.read_bytes() == before
    assert caplog.messages == []


def test_a_damaged_view_that_cannot_be_put_aside_is_one_clear_line(cloud):
    listed(cloud)
    text(cloud.view_path)
    before = cloud.view_path.read_bytes()
    cloud.view_path.with_name(f"{cloud.view_path.name}.damaged").mkdir()
    with pytest.raises(StoreError, match="it cannot be put aside: Is a directory") as refused:
        listed(cloud)
    assert str(cloud.view_path) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert cloud.view_path.read_bytes() == before


def damage_somewhere(path, chance):
    """A page, a few bytes or a few bits of nonsense, or an end that is missing."""
    data = bytearray(path.read_bytes())
    kind = chance.randrange(4)
    if kind == 0:
        page = chance.randrange(len(data) // 4096) * 4096
        data[page : page + 4096] = chance.randbytes(4096)
    elif kind == 1:
        for _ in range(chance.randrange(1, 30)):
            start = chance.randrange(100, len(data) - 40)
            data[start : start + 40] = chance.randbytes(40)
    elif kind == 2:
        for _ in range(chance.randrange(1, 200)):
            data[chance.randrange(100, len(data))] ^= 1 << chance.randrange(8)
    else:
        del data[chance.randrange(len(data)) :]
    path.write_bytes(data)


@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(400), marks=pytest.mark.slow)])
def test_wherever_a_view_is_damaged_a_replay_makes_it_right(cloud, seeds):
    # What SQLite cannot tell from its own may show until then. Where the name of the log is other
    # nonsense, the file is another log's for all that anybody knows.
    listed(cloud)
    sound = cloud.view_path.read_bytes()
    for seed in seeds:
        for path in cloud.view_path.parent.glob(f"{cloud.view_path.name}*"):
            path.unlink()
        cloud.view_path.write_bytes(sound)
        damage_somewhere(cloud.view_path, random.Random(seed))
        with Cloud(cloud.url) as fresh:
            try:
                fresh.servers.list(status="BUILD")
                fresh.servers.view.replay()
                assert fresh.servers.list() == fresh.folded()
            except StoreForeign as foreign:
                assert "another log" in str(foreign)  # noqa: PT017


@pytest.mark.parametrize("given", [None, "given.db"])
def test_a_write_ahead_log_of_nonsense_is_nothing(cloud, tmp_path, given):
    path = cloud.view_path if given is None else tmp_path / given
    view = None if given is None else path
    listed(cloud, view)
    path.with_name(f"{path.name}-wal").write_bytes(random.Random(3).randbytes(50_000))
    shown, expected = listed(cloud, view)
    assert shown == expected


# Untouched


def another_logs_view(folder):
    (folder / "other").mkdir()
    with Cloud(folder / "other") as other:
        other.create()
        other.servers.list()
    return other.view_path.read_bytes()


def another_logs_view_of_another_schema(folder):
    path = folder / "older.db"
    path.write_bytes(another_logs_view(folder))
    change(path, "PRAGMA user_version = 77")
    return path.read_bytes()


def somebodys_database(folder):
    path = folder / "somebodys.db"
    change(path, "CREATE TABLE server (id)", "INSERT INTO server VALUES (1)")
    return path.read_bytes()


def a_store(folder):
    (folder / "other").mkdir()
    with Cloud(folder / "other") as other:
        other.create()
    return other.path.read_bytes()


@pytest.mark.parametrize(
    "foreign",
    [another_logs_view, another_logs_view_of_another_schema, somebodys_database, a_store],
)
@pytest.mark.parametrize("given", [None, "given.db"])
def test_what_is_not_this_logs_view_is_refused_untouched(cloud, tmp_path, foreign, given):
    path = cloud.view_path if given is None else tmp_path / given
    path.write_bytes(foreign(tmp_path))
    before = contents(path.parent)
    refusal = rf"({'another log|no serverdomain view'}).* or remove .*{path.name}"
    with pytest.raises(StoreForeign, match=refusal) as refused:
        listed(cloud, None if given is None else path)
    assert "\n" not in str(refused.value)
    assert contents(path.parent) == before


def test_a_text_file_at_a_given_place_is_refused_untouched(cloud, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("remember the milk\n")
    with pytest.raises(StoreDamaged, match=r"is no SQLite database.* or remove .*notes\.txt"):
        listed(cloud, notes)
    assert notes.read_text() == "remember the milk\n"


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_the_store_itself_is_no_place_for_its_view(tmp_path, link):
    with Cloud(tmp_path) as cloud:
        path = cloud.path
    if link is not None:
        path = tmp_path / "linked.db"
        link(cloud.path, path)
    before = contents(tmp_path)
    with pytest.raises(StoreForeign, match=r"is the store itself: name another file for its view"):
        listed(cloud, path)
    assert contents(tmp_path) == before


def test_a_folder_is_no_place_for_a_view(cloud, tmp_path):
    with pytest.raises(StoreForeign, match=f"{tmp_path} is a folder"):
        listed(cloud, tmp_path)


def test_a_missing_folder_is_named(cloud, tmp_path):
    with pytest.raises(StoreMissing, match=f"the folder {tmp_path}/gone does not exist"):
        listed(cloud, tmp_path / "gone" / "view.db")


@pytest.fixture
def open_folder():
    """A folder that everybody may use, with a cloud of one server that everybody may use."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        with nobody():
            cloud = Cloud(folder)
        with cloud:
            cloud.create()
            yield folder, cloud


def test_a_folder_that_may_not_be_written_to_is_one_clear_line(open_folder):
    folder, cloud = open_folder
    (folder / "closed").mkdir(mode=0o555)
    with nobody(), pytest.raises(StoreError, match=r"view\.db cannot be opened") as refused:
        cloud.view(folder / "closed" / "view.db")
    assert "\n" not in str(refused.value)


def test_a_file_that_may_not_be_written_is_one_clear_line(open_folder):
    folder, cloud = open_folder
    cloud.view(folder / "view.db").close()
    (folder / "view.db").chmod(0o444)
    with nobody():
        view = cloud.view(folder / "view.db")
        assert view.status().lag == 1
        with pytest.raises(StoreError, match=r"view\.db may not be written") as refused:
            view.catch_up()
        view.close()
    assert "\n" not in str(refused.value)


def test_a_file_that_may_not_be_read_is_one_clear_line(open_folder):
    folder, cloud = open_folder
    cloud.view(folder / "view.db").close()
    (folder / "view.db").chmod(0)
    with nobody(), pytest.raises(StoreError, match=r"view\.db cannot be read"):
        cloud.view(folder / "view.db")


def test_a_view_is_made_while_the_log_is_written_to(kept_url):
    with Cloud(kept_url) as cloud, cloud.store.bulk():
        cloud.view().close()
        assert cloud.view_path.exists()


def test_a_view_that_another_makes_is_waited_for_no_longer_than_a_lock(kept_url, monkeypatch):
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.05")
    with Cloud(kept_url) as cloud:
        with cloud.store.alone("_view"), pytest.raises(StoreLocked, match=r"waited 0\.05 s"):
            cloud.view()
        assert not cloud.view_path.exists()
        cloud.view().close()


def test_who_comes_while_another_makes_it_waits_for_its_turn(kept_url, caplog):
    with Cloud(kept_url) as cloud, ExitStack() as another:
        assert another.enter_context(cloud.store.alone("_view"))

        class Hook(logging.Handler):
            def emit(self, record):
                if "immediately" in record.getMessage():
                    another.close()

        caplog.set_level(logging.DEBUG, "filelock")
        logging.getLogger("filelock").addHandler(hook := Hook())
        try:
            cloud.view().close()
        finally:
            logging.getLogger("filelock").removeHandler(hook)
        assert cloud.view_path.exists()


def test_a_view_says_whose_file_it_is(cloud):
    listed(cloud)
    with closing(sqlite3.connect(cloud.view_path)) as outsider:
        assert outsider.execute("PRAGMA application_id").fetchone() == (SERVERS.application_id,)
        assert outsider.execute("PRAGMA journal_mode").fetchone() == ("wal",)
