"""A bookmark is saved in time, and never over what somebody else did to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serverdomain import NotFound, Servers
from serverdomain.projections import saved_bookmark
from serverdomain.projections.saved_bookmark import PAGE, SavedBookmark, resume, skip
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log
from serverdomain.store.opening import open_log
from serverdomain.testing.store_contract import SERVER, adopted

BILLING = "billing"


@pytest.fixture(params=["memory", "file"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    log = open_log("memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'cloud.db'}")
    with Servers(log) as servers:
        servers.register(adopted())
        servers.stop(SERVER)
        yield log


@pytest.fixture
def bookmark(log: Log) -> SavedBookmark:
    return SavedBookmark(log, BILLING, "beginning")


def saved(log: Log) -> Bookmark | None:
    with log.reading() as reading:
        return reading.bookmark(BILLING)


def moved_by_somebody_else(log: Log, position: int) -> Bookmark:
    moved = Bookmark(BILLING, position)
    assert log.keep_bookmark(moved, saved(log))
    return moved


def test_a_new_one_is_saved_at_once_where_it_begins(log: Log) -> None:
    assert SavedBookmark(log, "at the head", "head").look().position == 2
    assert SavedBookmark(log, "at the beginning", "beginning").look().position == 0
    with log.reading() as reading:
        assert [one.position for one in reading.bookmarks()] == [0, 2]


def test_one_that_is_there_stands_where_it_stood(log: Log, bookmark: SavedBookmark) -> None:
    bookmark.move(1)
    bookmark.save()
    assert SavedBookmark(log, BILLING, "head").look() == Bookmark(BILLING, 1)


def test_it_is_saved_after_a_page_or_when_it_is_asked_to(log: Log, bookmark: SavedBookmark) -> None:
    bookmark.move(PAGE - 1)
    assert saved(log) == Bookmark(BILLING, 0)
    assert bookmark.look() == Bookmark(BILLING, PAGE - 1)
    bookmark.move(PAGE)
    assert saved(log) == Bookmark(BILLING, PAGE)
    bookmark.move(PAGE + 1)
    bookmark.save()
    assert saved(log) == Bookmark(BILLING, PAGE + 1)


def test_it_is_saved_a_second_after_it_first_moved(
    log: Log, bookmark: SavedBookmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(saved_bookmark, "monotonic", lambda: now[0])
    bookmark.move(1)
    now[0] = 100.9
    bookmark.move(2)
    bookmark.look()
    assert saved(log) == Bookmark(BILLING, 0)
    now[0] = 101.1
    bookmark.look()
    assert saved(log) == Bookmark(BILLING, 2)
    bookmark.move(3)
    assert saved(log) == Bookmark(BILLING, 2), "another second begins"


def test_where_it_stops_is_saved_with_all_that_was_told_before(
    log: Log, bookmark: SavedBookmark
) -> None:
    bookmark.move(1)
    assert bookmark.stop(2, "no room")
    assert saved(log) == Bookmark(BILLING, 1, 2, "no room")


@pytest.mark.parametrize(
    "write",
    [
        lambda bookmark: bookmark.save(),
        lambda bookmark: bookmark.stop(2, "no room"),
        lambda bookmark: bookmark.move(7 + PAGE),
    ],
    ids=["saved", "stopped", "moved by a page"],
)
@pytest.mark.parametrize("position", [0, 300])
def test_where_somebody_else_moved_it_it_stays(
    log: Log, bookmark: SavedBookmark, write: Callable[[SavedBookmark], bool], position: int
) -> None:
    moved_by_somebody_else(log, 7)
    bookmark.look()
    bookmark.move(8)
    moved = moved_by_somebody_else(log, position)
    assert not write(bookmark)
    assert saved(log) == moved
    assert bookmark.look() == moved
    assert bookmark.save(), "there is nothing to save"


def test_one_that_somebody_took_away_is_put_back(tmp_path: Path) -> None:
    with Servers(open_log(f"sqlite:///{tmp_path / 'cloud.db'}")) as servers:
        log = servers._log
        bookmark = SavedBookmark(log, BILLING, "beginning")
        bookmark.move(1)
        with log.connections.writing() as connection:
            connection.execute("DELETE FROM reactions")
        assert bookmark.look() == Bookmark(BILLING, 1)
        bookmark.look()
        assert saved(log) == Bookmark(BILLING, 1)


def test_a_stopped_one_is_resumed_where_it_stood_or_skips_its_event(
    log: Log, bookmark: SavedBookmark
) -> None:
    bookmark.stop(2, "no room")
    assert resume(log, BILLING) == saved(log) == bookmark.look() == Bookmark(BILLING, 0)
    bookmark.stop(2, "no room")
    assert skip(log, BILLING) == saved(log) == bookmark.look() == Bookmark(BILLING, 2)


@pytest.mark.parametrize("restart", [resume, skip])
def test_one_that_has_not_stopped_goes_on(
    log: Log, bookmark: SavedBookmark, restart: Callable[[Log, str], Bookmark]
) -> None:
    bookmark.move(1)
    bookmark.save()
    assert restart(log, BILLING) == bookmark.look() == Bookmark(BILLING, 1)


@pytest.mark.parametrize("restart", [resume, skip])
def test_one_that_is_not_there_is_not_found(
    log: Log, bookmark: SavedBookmark, restart: Callable[[Log, str], Bookmark]
) -> None:
    with pytest.raises(NotFound, match=r"'audit' is not there, billing is$"):
        restart(log, "audit")
