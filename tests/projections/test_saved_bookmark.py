"""A bookmark is saved in time, and never over what somebody else did to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from serverdomain import Context, NotFound, Servers
from serverdomain.projections import saved_bookmark
from serverdomain.projections.saved_bookmark import PAGE, SavedBookmark, resume, skip
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log
from serverdomain.store.opening import open_log
from serverdomain.store.sqlite import SQLiteLog
from serverdomain.testing.store_contract import SERVER, adopted
from tests.store.owner import owner_of, take_back

BILLING = "billing"


@pytest.fixture
def log(any_url: str) -> Iterator[Log]:
    log = open_log(any_url)
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


def test_one_that_somebody_took_away_is_put_back(log: Log, bookmark: SavedBookmark) -> None:
    bookmark.move(1)
    with owner_of(log) as owner:
        owner.execute("DELETE FROM reactions")
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


# A log that went back


@pytest.fixture
def renamed() -> Iterator[SQLiteLog]:
    """A log whose server is renamed at the positions 2 to 6."""
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        for position in range(2, 7):
            servers.rename(SERVER, f"name {position}", Context(request_id=f"req-{position}"))
        assert isinstance(servers._log, SQLiteLog)
        yield servers._log


def told_of(log: Log, *positions: int) -> SavedBookmark:
    bookmark = SavedBookmark(log, BILLING, "beginning")
    with log.reading() as reading:
        for one in reading.events_at(positions):
            assert bookmark.told(one)
    return bookmark


def test_whoever_was_told_of_what_is_no_more_stops_behind_what_is_there_until_it_is_resumed(
    renamed: SQLiteLog, caplog: pytest.LogCaptureFixture
) -> None:
    bookmark = told_of(renamed, 3, 4, 5)
    take_back(renamed, 4)
    with renamed.reading() as reading:
        assert not bookmark.stands(reading)
    why = (
        f"the log went back, and was told of 1 events that are no more: ServerRenamed of {SERVER}"
        " at 5 (req-5); resume it to go on behind them"
    )
    assert bookmark.look() == saved(renamed) == Bookmark(BILLING, 4, 4, why)
    assert bookmark.look() == Bookmark(BILLING, 4, 4, why)
    assert caplog.messages == [f"reaction {BILLING} stopped: {why}"]
    resume(renamed, BILLING)
    assert bookmark.look() == saved(renamed) == Bookmark(BILLING, 4)


def test_it_stops_where_its_place_was_saved_if_that_lies_behind_what_it_was_told(
    renamed: SQLiteLog,
) -> None:
    bookmark = told_of(renamed, 3)
    bookmark.move(4)
    bookmark.save()
    with renamed.reading() as reading:
        (lost,) = reading.events_at([6])
    bookmark.told(lost)
    take_back(renamed, 5)
    found = bookmark.look()
    assert (found.position, found.stopped_at) == (4, 4)


def test_one_that_has_stopped_already_says_why_as_before(
    renamed: SQLiteLog, caplog: pytest.LogCaptureFixture
) -> None:
    bookmark = told_of(renamed, 3, 5)
    assert bookmark.stop(4, "no room")
    stopped = saved(renamed)
    take_back(renamed, 5)
    assert bookmark.look() == stopped
    assert caplog.messages == []
    take_back(renamed, 4)
    stopped = saved(renamed)
    assert bookmark.look() == stopped == Bookmark(BILLING, 4, 4, "no room")
    assert "was told of 1 events that are no more" in caplog.text
    assert bookmark.look() == stopped
    assert len(caplog.messages) == 1


def test_no_place_is_saved_that_the_log_does_not_have(renamed: SQLiteLog) -> None:
    bookmark = told_of(renamed, 3, 5)
    take_back(renamed, 4)
    assert not bookmark.save()
    assert saved(renamed) == Bookmark(BILLING, 0)


def test_one_that_went_with_what_the_log_took_back_begins_no_further_than_its_end(
    renamed: SQLiteLog,
) -> None:
    bookmark = SavedBookmark(renamed, BILLING, "head")
    with renamed.reading() as reading:
        (last,) = reading.events_at([6])
    assert bookmark.told(last)
    take_back(renamed, 4)
    with owner_of(renamed) as owner:
        owner.execute("DELETE FROM reactions")
    found = bookmark.look()
    assert (found.position, found.stopped_at) == (4, 4)
    assert saved(renamed) == found
