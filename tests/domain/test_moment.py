"""Moments: whole microseconds inside, RFC 3339 and aware datetimes outside."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from freezegun import freeze_time
from hypothesis import given as for_any

from serverdomain.domain import moment
from serverdomain.errors import InvalidInput
from serverdomain.testing import strategies

DOCUMENTED = 1347470437000000


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2012-09-12T17:20:37Z", DOCUMENTED),
        ("2012-09-12t17:20:37z", DOCUMENTED),
        ("2012-09-12 17:20:37Z", DOCUMENTED),
        ("2012-09-12T17:20:37+00:00", DOCUMENTED),
        ("2012-09-12T17:20:37-00:00", DOCUMENTED),
        ("2012-09-12T19:20:37+02:00", DOCUMENTED),
        ("2012-09-12T11:50:37-05:30", DOCUMENTED),
        ("2012-09-13T17:19:37+23:59", DOCUMENTED),
        ("2012-09-11T17:21:37-23:59", DOCUMENTED),
        ("2012-09-12T17:20:37.5Z", DOCUMENTED + 500_000),
        ("2012-09-12T17:20:37.000001Z", DOCUMENTED + 1),
        ("2012-09-12T17:20:37.0000019Z", DOCUMENTED + 1),
        ("2012-09-12T17:20:37.999999999999Z", DOCUMENTED + 999_999),
        ("2012-02-29T00:00:00Z", 1330473600000000),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("0001-01-02T00:00:00Z", -62135510400000000),
        ("9999-12-30T00:00:00Z", 253402128000000000),
    ],
)
def test_a_time_with_a_zone_is_read(text: str, micros: int) -> None:
    assert moment.parse(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2012-09-12",
        "17:20:37Z",
        "2012-09-12T17:20Z",
        "20120912T172037Z",
        "2012-9-12T17:20:37Z",
        "2012-09-12T17:20:37,5Z",
        "2012-09-12T17:20:37.Z",
        "2012-09-12T24:00:00Z",
        "2012-09-12T17:60:00Z",
        "2012-09-12T17:20:61Z",
        "2012-13-12T17:20:37Z",
        "2012-02-30T17:20:37Z",
        "2011-02-29T17:20:37Z",
        "0000-01-01T00:00:00Z",
        "2012-09-12T17:20:37+0200",
        "2012-09-12T17:20:37+02",
        "2012-09-12T17:20:37+24:00",
        "2012-09-12T17:20:37+05:60",
        "2012-09-12T17:20:37-05:99",
        "2012-09-12T17:20:37 Z",
        " 2012-09-12T17:20:37Z",
        "2012-09-12T17:20:37Z\n",
        "2012-09-12T17:20:37Z2012-09-12T17:20:37Z",
        "\u0662\u0660\u0661\u0662-09-12T17:20:37Z",
        "12012-09-12T17:20:37Z",
        "\ud800",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a time") as no:
        moment.parse(text)
    assert no.value.field == "time"
    assert "RFC 3339 with a zone is allowed" in str(no.value)
    assert len(str(no.value).splitlines()) == 1


def test_a_naive_time_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"^--at: '2012-09-12T17:20:37' is naive, .* no zone"):
        moment.parse("2012-09-12T17:20:37", "--at")


def test_a_second_60_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"^--at: '2016-12-31T23:59:60Z' has a second 60"):
        moment.parse("2016-12-31T23:59:60Z", "--at")


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T23:59:59.999999Z", "9999-12-30T00:00:00.000001Z", "0001-01-01T00:00:00+14:00"],
)
def test_a_time_that_some_zone_could_not_say_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^updated: .* lies outside the years 1 to 9999"):
        moment.parse(text, "updated")


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("0001-01-01T00:00:00+14:00", moment.EARLIEST),
        ("9999-12-31T23:59:59Z", moment.LATEST),
        ("2012-09-12T17:20:37Z", DOCUMENTED),
    ],
)
def test_of_a_time_that_is_only_asked_about_the_nearest_one_is_meant(text: str, means: int) -> None:
    assert moment.parse(text, nearest=True) == means
    assert moment.to_micros(datetime.fromisoformat(text), nearest=True) == means


def test_an_aware_datetime_becomes_whole_microseconds() -> None:
    east = timezone(timedelta(hours=5, minutes=45, seconds=1))
    assert moment.to_micros(datetime(2012, 9, 12, 17, 20, 37, tzinfo=UTC)) == DOCUMENTED
    assert moment.to_micros(datetime(1970, 1, 1, 5, 45, 1, tzinfo=east)) == 0
    assert moment.to_micros(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(
        InvalidInput, match=r"^occurred_at: 2012-09-12T17:20:37 has no zone, an aware datetime is"
    ):
        moment.to_micros(datetime(2012, 9, 12, 17, 20, 37), "occurred_at")  # noqa: DTZ001


@pytest.mark.parametrize("bad", [DOCUMENTED, 1.5, "2012-09-12T17:20:37Z", None])
def test_what_is_no_datetime_is_refused_by_its_type(bad: object) -> None:
    with pytest.raises(InvalidInput, match=f"^at: a {type(bad).__name__} came, an aware datetime"):
        moment.to_micros(bad, "at")


@pytest.mark.parametrize("hours", [-14, 0, 14])
def test_the_ends_of_the_calendar_are_refused(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    for end in (datetime.min.replace(tzinfo=zone), datetime.max.replace(tzinfo=zone)):
        with pytest.raises(InvalidInput, match="outside the years 1 to 9999"):
            moment.to_micros(end)


@for_any(strategies.times())
def test_a_moment_survives_the_way_out_and_back(micros: int) -> None:
    out = moment.to_datetime(micros)
    assert out.tzinfo is UTC
    assert moment.to_micros(out) == micros
    assert moment.parse(moment.exact(micros)) == micros
    assert moment.parse(moment.seconds(micros)) == micros // 1_000_000 * 1_000_000


@pytest.mark.parametrize(
    ("micros", "seconds", "exact"),
    [
        (DOCUMENTED, "2012-09-12T17:20:37Z", "2012-09-12T17:20:37.000000Z"),
        (DOCUMENTED + 999_999, "2012-09-12T17:20:37Z", "2012-09-12T17:20:37.999999Z"),
        (0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999999Z"),
        (-62135510400000000, "0001-01-02T00:00:00Z", "0001-01-02T00:00:00.000000Z"),
    ],
)
def test_a_moment_is_shown(micros: int, seconds: str, exact: str) -> None:
    assert moment.seconds(micros) == seconds
    assert moment.exact(micros) == exact


@for_any(strategies.times(), strategies.times())
def test_what_is_shown_in_full_sorts_as_the_moments_do(one: int, other: int) -> None:
    assert (moment.exact(one) < moment.exact(other)) == (one < other)


def test_a_frozen_clock_changes_nothing() -> None:
    with freeze_time("2030-01-01T00:00:00Z"):
        now = datetime.now(UTC)
        assert moment.exact(moment.to_micros(now)) == "2030-01-01T00:00:00.000000Z"
        assert moment.parse("2012-09-12T17:20:37Z") == DOCUMENTED
        assert moment.to_micros(moment.to_datetime(DOCUMENTED)) == DOCUMENTED
        assert moment.seconds(DOCUMENTED) == "2012-09-12T17:20:37Z"


@pytest.mark.parametrize("good", [0, -1, moment.EARLIEST, moment.LATEST])
def test_a_time_inside_is_a_whole_number_of_microseconds(good: int) -> None:
    assert moment.micros("field", good) == good


def test_a_time_inside_is_made_of_an_aware_datetime_too() -> None:
    assert moment.micros("field", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000
    with pytest.raises(InvalidInput, match=r"^field: .*no zone"):
        moment.micros("field", datetime(1970, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("bad", [1.5, "0", True, None, moment.EARLIEST - 1, moment.LATEST + 1])
def test_anything_else_is_no_whole_number_of_microseconds(bad: object) -> None:
    allowed = "years 1 to 9999" if type(bad) is int else "microseconds since 1970"
    with pytest.raises(InvalidInput, match=f"^field: .*{allowed}"):
        moment.micros("field", bad)
