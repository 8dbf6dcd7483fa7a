"""A clock that stands until it is moved."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from freezegun import freeze_time

from serverdomain.errors import InvalidInput
from serverdomain.testing import ManualClock

START = datetime(2012, 9, 12, 17, 20, 36, tzinfo=UTC)
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def test_a_clock_stands_where_the_documented_server_was_created() -> None:
    clock = ManualClock()
    assert clock() == clock() == clock.now == START
    assert clock().tzinfo is UTC


def test_a_clock_starts_where_it_is_told() -> None:
    assert ManualClock(NOON)() == NOON
    noon_in_the_east = NOON.astimezone(timezone(timedelta(hours=9)))
    assert ManualClock(noon_in_the_east)().tzinfo is UTC
    assert ManualClock(noon_in_the_east)() == NOON


@pytest.mark.parametrize(
    ("by", "then"),
    [
        (0, START),
        (1, datetime(2012, 9, 12, 17, 20, 37, tzinfo=UTC)),
        (0.5, datetime(2012, 9, 12, 17, 20, 36, 500_000, tzinfo=UTC)),
        (timedelta(days=1, microseconds=1), datetime(2012, 9, 13, 17, 20, 36, 1, tzinfo=UTC)),
    ],
)
def test_a_clock_advances_by_seconds_or_by_a_timedelta(by, then: datetime) -> None:
    clock = ManualClock()
    assert clock.advance(by) == then
    assert clock() == then


def test_a_clock_is_set_forward() -> None:
    clock = ManualClock()
    clock.now = NOON
    assert clock() == NOON
    clock.now = NOON
    assert clock() == NOON


def test_a_clock_goes_forward_only() -> None:
    clock = ManualClock(NOON)
    with pytest.raises(
        InvalidInput,
        match=r"^now: 2012-09-12T17:20:36.000000Z came, the clock stands at 2030-01-01T12:00:00",
    ):
        clock.now = START
    with pytest.raises(InvalidInput, match="goes forward only"):
        clock.advance(-1)
    assert clock() == NOON


def test_a_clock_is_set_back_by_that_word_alone() -> None:
    clock = ManualClock(NOON)
    clock.set_back(START)
    assert clock() == START
    clock.now = NOON
    assert clock() == NOON


def test_a_clock_takes_no_time_without_a_zone() -> None:
    naive = datetime(2030, 1, 1)  # noqa: DTZ001
    clock = ManualClock()
    with pytest.raises(InvalidInput, match="has no zone"):
        ManualClock(naive)
    with pytest.raises(InvalidInput, match="has no zone"):
        clock.now = naive
    with pytest.raises(InvalidInput, match="has no zone"):
        clock.set_back(naive)
    assert clock() == START


def test_a_clock_stands_beside_a_frozen_one() -> None:
    with freeze_time("2040-01-01T00:00:00Z"):
        clock = ManualClock(NOON)
        assert clock.advance(60) == NOON + timedelta(minutes=1)
        clock.now = datetime.now(UTC)
        assert clock().year == 2040


def test_a_clock_shows_where_it_stands() -> None:
    assert repr(ManualClock()) == "ManualClock(2012-09-12T17:20:36.000000Z)"
