"""Times as people write them: what each means, and that nothing else is one."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example
from hypothesis import given as for_any
from hypothesis import strategies as st

from serverdomain.domain import moment, written_time
from serverdomain.errors import InvalidInput
from serverdomain.testing import strategies

NOW = datetime(2024, 11, 13, 10, 30, tzinfo=UTC)
MOMENTS = strategies.times().map(moment.to_datetime)
DAYS = st.dates(date(1, 1, 2), date(9999, 12, 29))
UNITS = {"s": 1, "min": 60, "minutes": 60, "h": 3600, "hour": 3600, "d": 86400, "weeks": 604800}


def read(text: str, edge: written_time.Edge = "end") -> str:
    return moment.exact(written_time.read(text, NOW, edge))


@pytest.mark.parametrize(
    ("text", "beginning", "end"),
    [
        ("2024-11-11", "2024-11-11T00:00:00.000000Z", "2024-11-11T23:59:59.999999Z"),
        ("Yesterday", "2024-11-12T00:00:00.000000Z", "2024-11-12T23:59:59.999999Z"),
        ("yesterday", "2024-11-12T00:00:00.000000Z", "2024-11-12T23:59:59.999999Z"),
        ("1969-12-31", "1969-12-31T00:00:00.000000Z", "1969-12-31T23:59:59.999999Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z"),
    ],
)
def test_a_day_is_its_beginning_or_its_end_in_utc(text: str, beginning: str, end: str) -> None:
    assert read(text, "beginning") == beginning
    assert read(text, "end") == end


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("now", "2024-11-13T10:30:00.000000Z"),
        ("NOW", "2024-11-13T10:30:00.000000Z"),
        ("2 Days Ago", "2024-11-11T10:30:00.000000Z"),
        ("2 days ago", "2024-11-11T10:30:00.000000Z"),
        ("2d ago", "2024-11-11T10:30:00.000000Z"),
        ("3h ago", "2024-11-13T07:30:00.000000Z"),
        ("3 h ago", "2024-11-13T07:30:00.000000Z"),
        ("1 hour ago", "2024-11-13T09:30:00.000000Z"),
        ("90 min ago", "2024-11-13T09:00:00.000000Z"),
        ("1 week ago", "2024-11-06T10:30:00.000000Z"),
        ("0s ago", "2024-11-13T10:30:00.000000Z"),
        ("2024-11-11T14:00:00+01:00", "2024-11-11T13:00:00.000000Z"),
        ("999999999999999999 weeks ago", "0001-01-02T00:00:00.000000Z"),
        ("0001-01-01", "0001-01-02T00:00:00.000000Z"),
        ("9999-12-31", "9999-12-30T00:00:00.000000Z"),
    ],
)
def test_everything_else_is_exact_and_in_the_years_there_are(text: str, means: str) -> None:
    assert read(text, "beginning") == read(text, "end") == means


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("10/11/2024", "may be read as one day or another"),
        ("10.11.2024", "may be read as one day or another"),
        ("10-11-2024", "may be read as one day or another"),
        ("2024/11/10", "may be read as one day or another"),
        ("2024-11-11T13:00:00", "is naive, it has no zone"),
        ("2024-11-11T13:00", "is naive, it has no zone"),
        ("2024-11-11 13:00", "is naive, it has no zone"),
        ("13:00", "is naive, it has no zone"),
        ("2016-12-31T23:59:60Z", "has a second 60"),
        ("2024-02-30", "is no day"),
        ("2023-02-29", "is no day"),
        ("0000-01-01", "is no day"),
        ("tomorrow", "is not a time"),
        ("today", "is not a time"),
        ("last week", "is not a time"),
        ("2 months ago", "is not a time"),
        ("3m ago", "is not a time"),
        ("-1 days ago", "is not a time"),
        ("1.5h ago", "is not a time"),
        ("in 3h", "is not a time"),
        (" now", "is not a time"),
        ("now\n", "is not a time"),
        ("2024-11-11\n", "is not a time"),
        ("٢ days ago", "is not a time"),
        ("2 wee\N{KELVIN SIGN}s ago", "is not a time"),
        ("20241111", "is not a time"),
        ("2024-W46", "is not a time"),
        ("2024-11", "is not a time"),
        ("", "is not a time"),
        ("\ud800", "is not a time"),
    ],
)
def test_nothing_else_is_a_time(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as no:
        written_time.read(text, NOW, "end", "--since")
    assert no.value.field == "--since"
    assert "allowed" in str(no.value)
    assert str(no.value).isprintable()


@for_any(MOMENTS)
def test_what_is_told_of_a_time_is_read_as_that_time(at: datetime) -> None:
    micros = moment.to_micros(at)
    for edge in ("beginning", "end"):
        assert written_time.read(moment.exact(micros), NOW, edge) == micros


@for_any(DAYS, DAYS)
def test_a_day_lasts_until_the_next_begins(one: date, other: date) -> None:
    begins, ends = (written_time.read(str(one), NOW, edge) for edge in ("beginning", "end"))
    after = written_time.read(str(one + timedelta(days=1)), NOW, "beginning")
    assert begins < ends == after - 1
    assert (one < other) == (ends < written_time.read(str(other), NOW, "beginning"))
    assert moment.exact(begins)[:10] == moment.exact(ends)[:10] == str(one)


@for_any(MOMENTS, st.integers(0, 10**7), st.sampled_from(list(UNITS)))
def test_ago_is_counted_back_from_now(now: datetime, number: int, unit: str) -> None:
    at = written_time.read(f"{number} {unit} ago", now, "end")
    back = moment.to_micros(now) - number * UNITS[unit] * 1_000_000
    assert at == max(back, moment.EARLIEST)


@for_any(MOMENTS)
def test_yesterday_is_the_day_before_that_of_now(now: datetime) -> None:
    ends = written_time.read("yesterday", now, "end")
    micros = moment.to_micros(now)
    assert ends == moment.EARLIEST or 0 < micros - ends <= 86_400_000_000
    assert ends == moment.EARLIEST or (ends + 1) % 86_400_000_000 == 0


@for_any(st.text(max_size=30))
@example("2024-11-11T00:00:00Z,")
def test_no_text_is_anything_but_a_time_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        assert moment.EARLIEST <= written_time.read(text, NOW, "end") <= moment.LATEST


def test_a_time_counts_by_the_clock_that_it_names_or_else_by_that_of_recording() -> None:
    at = datetime(2024, 11, 11, tzinfo=UTC)
    for text, clock in (
        ("2024-11-11", "recorded"),
        ("recorded:2024-11-11", "recorded"),
        ("occurred:2024-11-11", "occurred"),
    ):
        assert written_time.read_with_clock(text, NOW, "beginning") == (clock, at)
    for wrong in ("occurred:recorded:2024-11-11", "occurred_at:2024-11-11", "occurred:"):
        with pytest.raises(InvalidInput, match="is not a time"):
            written_time.read_with_clock(wrong, NOW, "end")
