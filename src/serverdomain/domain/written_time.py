"""Times as people write them: RFC 3339, a day, or how long ago; and by which clock.

A day and everything that is counted back from now are in UTC, and words are read in any case. What
could be read in two ways is refused with words, never guessed.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal

from serverdomain.domain import moment
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput

Clock = Literal["recorded", "occurred"]
"""The clock by which a time counts: when the log took a fact in, or when it happened."""

Edge = Literal["beginning", "end"]
"""Which moment of a day is meant by it."""

FORMS = (
    "RFC 3339 with a zone (2012-09-12T17:20:37Z), a day (2024-11-11), now, yesterday, "
    "2 days ago or 3h ago"
)
"""What may be written, as errors say it."""

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_UNITS = {
    **dict.fromkeys(("s", "second", "seconds"), _SECOND),
    **dict.fromkeys(("min", "minute", "minutes"), 60 * _SECOND),
    **dict.fromkeys(("h", "hour", "hours"), 3_600 * _SECOND),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * _DAY),
}
_AGO = re.compile(rf"([0-9]{{1,18}}) ?({'|'.join(_UNITS)}) ago")
_A_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WITH_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}.*", re.DOTALL)
_NAIVE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ])?[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_EITHER_WAY = re.compile(r"[0-9]{1,4}[/.][0-9]{1,2}[/.][0-9]{1,4}|[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}")


def read(text: str, now: datetime, edge: Edge, field: str = "time") -> int:
    """A time as people write it, in microseconds since 1970 UTC.

    A day, ``yesterday`` among them, is its ``edge``; whatever else is told from ``now``, an aware
    datetime, is exact. What lies outside the years 1 to 9999 is the nearest time in them. Raises
    `InvalidInput`, which names ``field``.
    """
    micros = moment.to_micros(now, "now", nearest=True)
    words = text.lower() if text.isascii() else text
    if words == "now":
        return micros
    if words == "yesterday":
        return _of_day(micros // _DAY - 1, edge)
    ago = _AGO.fullmatch(words)
    if ago is not None:
        return _nearest(micros - int(ago[1]) * _UNITS[ago[2]])
    if _WITH_TIME.fullmatch(text):
        return moment.parse(text, field, nearest=True)
    if _A_DAY.fullmatch(text):
        try:
            return _of_day((date.fromisoformat(text) - date(1970, 1, 1)).days, edge)
        except ValueError as error:
            raise InvalidInput(
                field, f"{shown(text)} is no day ({error}); {FORMS} is allowed"
            ) from None
    if _NAIVE.fullmatch(text):
        raise InvalidInput(field, f"{shown(text)} is naive, it has no zone; {FORMS} is allowed")
    if _EITHER_WAY.fullmatch(text):
        why = "may be read as one day or another"
        raise InvalidInput(field, f"{shown(text)} {why}; {FORMS} is allowed")
    raise InvalidInput(field, f"{shown(text)} is not a time; {FORMS} is allowed")


def read_with_clock(
    text: str, now: datetime, edge: Edge, field: str = "time"
) -> tuple[Clock, datetime]:
    """A time as `read` takes it, behind ``recorded:`` or ``occurred:``; recorded, without either.

    Gives an aware datetime in UTC.
    """
    clock: Clock = "occurred" if text.startswith("occurred:") else "recorded"
    written = text.removeprefix(f"{clock}:")
    return clock, moment.to_datetime(read(written, now, edge, field))


def is_exact(text: str) -> bool:
    """Whether nothing was left to be read into a time: it has its clock, and a time of day."""
    return text.startswith(("recorded:", "occurred:")) and text.count(":") > 1


def _of_day(number: int, edge: Edge) -> int:
    """An edge of a day, which is counted from 1970-01-01."""
    return _nearest(number * _DAY + (0 if edge == "beginning" else _DAY - 1))


def _nearest(micros: int) -> int:
    return min(max(micros, moment.EARLIEST), moment.LATEST)
