"""A log moves from file to file: all of it, once, and nobody writes to the old place any more."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from serverdomain import (
    InvalidInput,
    Servers,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreReadOnly,
)
from serverdomain.store import durable
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.opening import copy_log
from serverdomain.store.sqlite import as_stored, schema
from serverdomain.store.sqlite.moving import SQLiteFilling
from serverdomain.testing.contract import OTHER, SERVER, adopted, under
from tests.store.moved import fill, held


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.db"
    fill(path)
    return path


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere.db"


def test_a_copy_holds_all_that_the_log_held_and_goes_on(source: Path, to: Path) -> None:
    with Servers.open(source) as servers:
        servers.ledger.checkpoint(source.parent / "key", source.parent / "signed")
    before = held(source)

    made = copy_log(source, to)

    assert (made.source, made.place, made.log_id) == (str(source), str(to), before[0])
    assert made.events == before[1][0] == 6
    assert held(to) == held(source) == before
    with Servers.open(to, create=False) as servers:
        assert servers.check() == []
        signed = source.parent / "signed"
        assert servers.ledger.verify(signed, [source.parent / "key"]).problems == ()
        assert servers.register(adopted(), under("req-1")).position == 1
        assert servers.rename(OTHER, "goes on").position == 7
    assert sorted(one.name for one in to.parent.glob("*.copying*")) == []


def test_at_the_old_place_it_is_only_read(source: Path, to: Path) -> None:
    with Servers.open(source) as open_before:
        copy_log(source, to)
        with pytest.raises(StoreError, match="the log went elsewhere: the row in moved says where"):
            open_before.rename(SERVER, "too late")
        with pytest.raises(StoreError, match="the log went elsewhere"):
            open_before._log.keep_bookmark(Bookmark("billing", 4), Bookmark("billing", 3))
        assert open_before.get(SERVER).name == "é 中"
    with pytest.raises(StoreReadOnly, match=rf"^{source} went to {to}: here it is only read"):
        Servers.open(source)
    with Servers.open(source, read_only=True) as servers:
        assert len(servers.list()) == 2
        assert servers.check() == []


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO stored_events VALUES (99, 'x', 1, 't', '{}', NULL)",
        "INSERT OR REPLACE INTO commands SELECT * FROM commands",
        "INSERT INTO reactions VALUES ('a', 1, NULL, NULL)",
        "UPDATE reactions SET position = 9",
        "DELETE FROM reactions",
        "UPDATE moved SET place = ''",
        "DELETE FROM moved",
    ],
)
def test_the_old_file_itself_refuses_to_be_written(source: Path, to: Path, change: str) -> None:
    copy_log(source, to)
    with (
        closing(sqlite3.connect(source, isolation_level=None)) as outsider,
        pytest.raises(sqlite3.IntegrityError),
    ):
        outsider.execute(change)


def test_a_release_that_does_not_know_of_it_leaves_the_old_file_alone(
    source: Path, to: Path
) -> None:
    copy_log(source, to)
    with closing(sqlite3.connect(source)) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    assert found > len(schema.STEPS)  # Which is what such a release looks at.


def test_a_check_misses_what_keeps_the_old_file_closed(source: Path, to: Path) -> None:
    copy_log(source, to)
    with closing(sqlite3.connect(source, isolation_level=None)) as outsider:
        outsider.execute("DROP TRIGGER commands_moved_insert")
    with Servers.open(source, read_only=True) as servers:
        assert [one.what for one in servers.check()] == [
            "the guard commands_moved_insert is missing"
        ]


# Cut short


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_stored, "_AT_ONCE", 1)
    monkeypatch.setattr(as_stored, "_FEW", 1)


def _cut_at(monkeypatch: pytest.MonkeyPatch, page: int) -> list[int]:
    """Have the disk fail at some page; gives the position that each page begins at."""
    put, begun = SQLiteFilling.put, []

    def failing(self: SQLiteFilling, rows: Any) -> None:
        begun.append(rows[0][0])
        if len(begun) == page:
            raise StoreError("the disk is full")
        put(self, rows)

    monkeypatch.setattr(SQLiteFilling, "put", failing)
    return begun


@pytest.mark.usefixtures("small_pages")
def test_a_copy_that_was_cut_short_is_gone_on_with(
    source: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = _cut_at(monkeypatch, 3)
    with pytest.raises(StoreError, match="the disk is full"):
        copy_log(source, to)
    assert begun == [1, 2, 3]
    assert not to.exists()
    with Servers.open(source) as servers:
        servers.rename(SERVER, "in between")
    before = held(source)

    copy_log(source, to)

    assert begun == [1, 2, 3, *range(3, 8)]
    assert held(to) == before


def test_a_copy_that_was_cut_short_at_its_very_end_is_ended(
    source: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = held(source)
    with monkeypatch.context() as patch:
        patch.setattr(durable, "_move_to_new", lambda *_: (_ for _ in ()).throw(OSError(5, "gone")))
        with pytest.raises(StoreError, match="cannot be written: gone"):
            copy_log(source, to)
    with pytest.raises(StoreReadOnly, match="went to"):
        Servers.open(source)
    with pytest.raises(StoreReadOnly, match=r"it cannot go to .*third.db, too$"):
        copy_log(source, to.with_name("third.db"))

    copy_log(source, to)

    assert held(to) == before


@pytest.mark.usefixtures("small_pages")
def test_what_is_written_while_it_is_copied_is_copied(source: Path, to: Path) -> None:
    names = iter(("one", "two"))

    def write(done: int, of: int) -> None:
        if (name := next(names, None)) is not None:
            with Servers.open(source) as servers:
                servers.rename(SERVER, name)

    copy_log(source, to, write)

    assert held(to) == held(source)
    with Servers.open(to) as servers:
        assert servers.get(SERVER).name == "two"


def test_its_progress_ends_with_everything(source: Path, to: Path) -> None:
    told: list[tuple[int, int]] = []
    copy_log(source, to, lambda done, of: told.append((done, of)))
    assert told == sorted(told)
    assert told[-1] == (12, 12)


# What is refused


def test_where_something_is_nothing_is_put(source: Path, to: Path) -> None:
    to.write_text("mine", "utf-8")
    with pytest.raises(InvalidInput, match=r"^TO: .*elsewhere.db' is there already"):
        copy_log(source, to)
    assert to.read_text("utf-8") == "mine"


def test_memory_is_no_place_to_move_from_or_to(source: Path) -> None:
    with pytest.raises(InvalidInput, match=r"^FROM: memory: came"):
        copy_log("memory:", source)
    with pytest.raises(InvalidInput, match=r"^TO: memory: came"):
        copy_log(source, "memory:")


@pytest.mark.usefixtures("small_pages")
def test_half_a_copy_of_another_log_stays(
    source: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = source.with_name("other.db")
    fill(other)
    _cut_at(monkeypatch, 3)
    with pytest.raises(StoreError):
        copy_log(other, to)
    with pytest.raises(StoreForeign, match="half a copy of another log"):
        copy_log(source, to)
    with Servers.open(source) as servers:
        servers.rename(SERVER, "nothing happened")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE stored_events SET originator_version = 'x' WHERE position = 4", "position 4"),
        ("UPDATE commands SET user_id = CAST(x'ff' AS TEXT) WHERE command_id = 2", "position 2"),
        ("UPDATE stored_events SET command_id = 1 WHERE position = 2", "command 2"),
    ],
)
def test_a_log_that_is_damaged_stays_where_it_is(
    source: Path, to: Path, change: str, what: str
) -> None:
    with closing(sqlite3.connect(source, isolation_level=None)) as outsider:
        for (name,) in outsider.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            outsider.execute(f"DROP TRIGGER {name}")
        outsider.execute(change)
    with pytest.raises(StoreDamaged, match=what):
        copy_log(source, to)
    assert not to.exists()
    Servers.open(source).close()


def test_a_copy_that_differs_is_opened_by_nobody(
    source: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = SQLiteFilling.put

    def forging(self: SQLiteFilling, rows: Any) -> None:
        put(self, [(*row[:4], row[4].replace("é", "e"), *row[5:]) for row in rows])

    monkeypatch.setattr(SQLiteFilling, "put", forging)
    with pytest.raises(StoreDamaged, match=r"differs from .* at position 4"):
        copy_log(source, to)
    assert not to.exists()
    with Servers.open(source) as servers:
        servers.rename(SERVER, "it is here still")
