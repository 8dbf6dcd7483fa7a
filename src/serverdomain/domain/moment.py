"""Moments: integers inside (microseconds since 1970 UTC), aware datetimes at the public edge.

Integers are ordered and compared without surprises, and are the same in every store. People write
RFC 3339 with a zone. The documented JSON shows whole seconds; views and reports show microseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):[0-5]\d:(?P<second>\d\d)(\.\d+)?"
    r"(?P<zone>[Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)

EARLIEST = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The first moment that can be written in every zone, in microseconds since 1970 UTC."""

LATEST = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""The last moment that can be written in every zone."""


def to_micros(moment: datetime, field: str = "time", *, nearest: bool = False) -> int:
    """Microseconds since 1970 UTC of an aware datetime.

    Raises `InvalidInput` for a naive datetime, and for one that cannot be written in every zone.
    For a time that is only asked about, ``nearest`` gives the nearest one that can.
    """
    if not isinstance(moment, datetime):
        raise InvalidInput(field, f"a {type(moment).__name__} came, an aware datetime is allowed")
    if moment.utcoffset() is None:
        raise InvalidInput(field, f"{moment.isoformat()} has no zone, an aware datetime is allowed")
    micros = (moment - _EPOCH) // _MICROSECOND
    if nearest:
        return min(max(micros, EARLIEST), LATEST)
    if not EARLIEST <= micros <= LATEST:
        raise InvalidInput(field, f"{moment.isoformat()} lies outside the years 1 to 9999")
    return micros


def micros(field: str, value: object) -> int:
    """Microseconds since 1970 UTC, of a whole number or an aware datetime.

    Raises `InvalidInput` for a time that cannot be written in every zone.
    """
    if isinstance(value, datetime):
        return to_micros(value, field)
    if isinstance(value, int) and not isinstance(value, bool):
        if EARLIEST <= value <= LATEST:
            return value
        raise InvalidInput(field, f"{shown(value)} came, a time in the years 1 to 9999 is allowed")
    raise InvalidInput(
        field,
        f"{shown(value)} came, an aware datetime or microseconds since 1970 as a whole number "
        "are allowed",
    )


def to_datetime(micros: int) -> datetime:
    """The aware datetime, in UTC, of microseconds since 1970."""
    return _EPOCH + micros * _MICROSECOND


def parse(text: str, field: str = "time", *, nearest: bool = False) -> int:
    """RFC 3339 with a zone as microseconds since 1970 UTC; finer digits are cut off.

    Raises `InvalidInput` for another form, a time without a zone or a second 60, and when
    `to_micros` does.
    """
    allowed = "RFC 3339 with a zone is allowed, such as 2012-09-12T17:20:37Z"
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise InvalidInput(field, f"{shown(text)} is not a time; {allowed}")
    if match["zone"] is None:
        raise InvalidInput(field, f"{shown(text)} is naive, it has no zone; {allowed}")
    if match["second"] == "60":
        raise InvalidInput(
            field, f"{shown(text)} has a second 60, but leap seconds are not counted; {allowed}"
        )
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise InvalidInput(field, f"{shown(text)} is not a time ({error}); {allowed}") from None
    return to_micros(moment, field, nearest=nearest)


def seconds(micros: int) -> str:
    """RFC 3339 in whole seconds, as the documented JSON shows a time (``2012-09-12T17:20:37Z``)."""
    return f"{_second(micros // 1_000_000)}Z"


def exact(micros: int) -> str:
    """RFC 3339 in microseconds, as views and reports show a time."""
    second, rest = divmod(micros, 1_000_000)
    return f"{_second(second)}.{rest:06}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    day, second = divmod(second, _DAY)
    minute, second = divmod(second, 60)
    return f"{_day(day)}T{minute // 60:02}:{minute % 60:02}:{second:02}"


@lru_cache(maxsize=4096)
def _day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()[:10]
