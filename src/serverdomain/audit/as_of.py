"""As of: which of a server's events count at a moment.

There are five ways to name a moment, so that what we knew and what was true are never confused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from serverdomain.domain import moment, written_time
from serverdomain.domain.history import History
from serverdomain.domain.limits import shown
from serverdomain.domain.server import Server, is_there
from serverdomain.domain.typed import typed
from serverdomain.errors import InvalidInput, NotFound, Refused
from serverdomain.store.log import LARGEST, Reading
from serverdomain.store.recorded import RecordedEvent

_FORMS = (
    "version:N, position:N, TIME, recorded:TIME, occurred:TIME or recorded:TIME,occurred:TIME is "
    "allowed"
)
_FLEET_FORMS = "position:N or recorded:TIME is allowed"

_CLOCKS = {"recorded": "recorded_at", "occurred": "occurred_at"}
_COUNTS = ("version", "position")
_ALLOWED = "version, position, recorded_at, occurred_at or both of the last two are allowed"
_DIGITS = re.compile(r"\d{1,100}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """A moment: one of these, or both times together; times are aware datetimes.

    ``version`` n: the server's first n events in the log. ``position`` p: its events at or below p
    in the whole log. ``recorded_at`` t: its events that were recorded by t, *what we knew at t*.
    ``occurred_at`` t: its events that had occurred by t, *what was true at t, as known today*. Both
    times: *what we knew then about that moment*. Raises `InvalidInput`.
    """

    version: int | None = None
    position: int | None = None
    recorded_at: datetime | None = None
    occurred_at: datetime | None = None

    def __post_init__(self) -> None:
        given = [name for name, value in self._members().items() if value is not None]
        if len(given) != 1 and given != ["recorded_at", "occurred_at"]:
            raise InvalidInput("as_of", f"{' and '.join(given) or 'nothing'} came, {_ALLOWED}")
        for name in given:
            value = getattr(self, name)
            if name in _COUNTS:
                _require_count(name, value)
            else:
                moment.to_micros(value, name, nearest=True)

    @classmethod
    @typed
    def read(cls, text: str, field: str = "as_of", *, now: datetime | None = None) -> AsOf:
        """Read a moment in the form of ``--as-of``, with times as `written_time.read` takes them.

        A day is its end; a time without a clock is one of recording. ``now`` is an aware datetime,
        the machine's clock if not given. Raises `InvalidInput`, which names ``field``.
        """
        members: dict[str, Any] = {}
        for part in text.split(","):
            name, colon, value = part.partition(":")
            if colon and name in _COUNTS:
                if not _DIGITS.fullmatch(value):
                    raise InvalidInput(
                        field, f"{shown(part)} came, {name}:N with a whole number is allowed"
                    )
                found: tuple[str, Any] = name, int(value)
            else:
                found = _time(text, part, now or datetime.now(UTC), field)
            if found[0] in members:
                raise InvalidInput(field, f"{shown(text)} came, {_FORMS}")
            members |= [found]
        if len(members) > 1 and not members.keys() <= set(_CLOCKS.values()):
            raise InvalidInput(field, f"{shown(text)} came, {_FORMS}")
        return cls(**members)

    def __str__(self) -> str:
        """The moment in the form that `read` takes."""
        names = {member: name for name, member in _CLOCKS.items()}
        return ",".join(
            f"{names.get(name, name)}:{value}" for name, value in self.as_json().items()
        )

    def as_json(self) -> dict[str, Any]:
        """The given members, as plain values."""
        return {
            name: getattr(self, name) if name in _COUNTS else moment.exact(bound)
            for name, bound in self.bounds.items()
        }

    @cached_property
    def bounds(self) -> dict[str, int]:
        """The highest version, position and times of an event that counts, as far as given.

        Times are in microseconds since 1970 UTC.
        """
        return {
            name: min(value, LARGEST)  # A log knows no larger one.
            if isinstance(value, int)
            else moment.to_micros(value, nearest=True)
            for name, value in self._members().items()
            if value is not None
        }

    def counts(self, recorded: RecordedEvent) -> bool:
        """Whether an event of a server counts at this moment."""
        return all(getattr(recorded, name) <= bound for name, bound in self.bounds.items())

    def _members(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


Moment = AsOf | str
"""A moment, or its words; ``"first"`` is the beginning, ``"now"`` the log's head."""

Resolved = AsOf | Literal["first", "now"]
"""A moment that was read."""


def read_moment(text: str, field: str, *, now: datetime | None = None) -> Resolved:
    """Read ``first``, ``now``, or a moment as `AsOf.read` does. Raises `InvalidInput`."""
    word = text.lower() if text.isascii() else text
    if word == "first":
        return "first"
    if word == "now":
        return "now"
    try:
        return AsOf.read(text, field, now=now)
    except InvalidInput as wrong:
        said = str(wrong).removeprefix(f"{field}: ")
        raise InvalidInput(field, f"{said}; first is, too") from None


def moment_of(given: Moment, now: datetime, field: str) -> Resolved:
    """A moment that was given as one, or in words. Raises `InvalidInput`."""
    return given if isinstance(given, AsOf) else read_moment(given, field, now=now)


def as_of_given(given: object, now: datetime) -> AsOf | None:
    """What was given as ``as_of``: a moment, its words, or nothing, which is now as well.

    Raises `InvalidInput` for anything else.
    """
    if given is None or given == "now":
        return None
    if isinstance(given, AsOf):
        return given
    if isinstance(given, str):
        return AsOf.read(given, now=now)
    raise InvalidInput("as_of", f"{shown(given)} came, an AsOf or its words are allowed")


def history_as_of(log: Reading, server_id: str, as_of: AsOf) -> History:
    """The facts of a server that count at a moment.

    Raises `Refused` for a version or position beyond the head, and names the head.
    """
    require_position(log, as_of)
    history = log.history(server_id, **as_of.bounds)
    # If these are fewer than were asked for, the server has no more.
    require_version(server_id, as_of, history.version)
    return history


def server_as_of(log: Reading, server_id: str, as_of: AsOf) -> Server:
    """The server at a moment. Raises `NotFound` if it had not begun or was deleted."""
    server = history_as_of(log, server_id, as_of).server
    if not is_there(server):
        raise NotFound(f"server {server_id} is not there as of {as_of}")
    return server


def require_fleet(as_of: AsOf, field: str = "as_of") -> None:
    """Raise `InvalidInput` unless a moment is one of a fleet that no late fact can change.

    That is a position, or a time of recording alone.
    """
    if as_of.bounds.keys() not in ({"position"}, {"recorded_at"}):
        raise InvalidInput(field, f"{as_of} came for the fleet, {_FLEET_FORMS}")


def fleet_position(log: Reading, as_of: AsOf) -> int:
    """The position of a moment of the fleet.

    Raises `Refused` beyond the head, and `InvalidInput` as `require_fleet` does.
    """
    require_fleet(as_of)
    require_position(log, as_of)
    if as_of.position is not None:
        return as_of.position
    return log.position_at(as_of.bounds["recorded_at"])


def require_position(log: Reading, as_of: AsOf) -> None:
    """Raise `Refused` if a moment's position lies beyond the log's head."""
    if as_of.position is not None and as_of.position > (head := log.head()):
        raise Refused("head", f"position {as_of.position} came, the log's head is {head}")


def require_version(server_id: str, as_of: AsOf, head: int) -> None:
    """Raise `Refused` if a moment's version lies beyond a server's last one.

    Raises `NotFound` if the server has none.
    """
    if as_of.version is not None and as_of.version > head:
        if head == 0:
            raise NotFound(f"server {server_id} is not there, and never was")
        raise Refused(
            "head", f"version {as_of.version} came, the head of server {server_id} is {head}"
        )


def _require_count(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInput(name, f"{shown(value)} came, a whole number of at least 0 is allowed")


def _time(text: str, part: str, now: datetime, field: str) -> tuple[str, datetime]:
    try:
        clock, at = written_time.read_with_clock(part, now, "end", field)
    except InvalidInput:
        name, colon, _ = part.partition(":")
        if (colon and name in _CLOCKS) or part[:1].isdigit():
            raise
        raise InvalidInput(
            field, f"{shown(text)} came, {_FORMS}; TIME is {written_time.FORMS}"
        ) from None
    return _CLOCKS[clock], at
