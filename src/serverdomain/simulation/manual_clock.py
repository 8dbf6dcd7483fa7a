"""A clock that stands still until it is moved, for tests and for endpoints that wait for nobody."""

from __future__ import annotations

from datetime import datetime, timedelta

from serverdomain.domain import moment
from serverdomain.domain.typed import typed
from serverdomain.errors import InvalidInput

_START = moment.parse("2012-09-12T17:20:36Z")


@typed
class ManualClock:
    """A clock to give to `Servers`. It shows the same aware datetime until it is moved.

    It starts at ``now`` (aware), or at the documented server's ``created``. It goes forward only;
    `set_back` is for tests of clocks that step back.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self._micros = _START if now is None else moment.to_micros(now, "now")

    def __call__(self) -> datetime:
        """The time that it shows."""
        return self.now

    def __repr__(self) -> str:
        return f"ManualClock({moment.exact(self._micros)})"

    @property
    def now(self) -> datetime:
        """The time that it shows. Set it to move the clock; `InvalidInput` if that lies behind."""
        return moment.to_datetime(self._micros)

    @now.setter
    def now(self, now: datetime) -> None:
        self._forward_to(moment.to_micros(now, "now"))

    def advance(self, by: float | timedelta) -> datetime:
        """Move forward by seconds or a timedelta, and return the new time.

        Raises `InvalidInput` if that is negative.
        """
        span = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._forward_to(self._micros + span // timedelta(microseconds=1))
        return self.now

    def set_back(self, now: datetime) -> None:
        """Move to a time that may lie behind, as a machine's clock does when it is corrected."""
        self._micros = moment.to_micros(now, "now")

    def _forward_to(self, micros: int) -> None:
        if micros < self._micros:
            raise InvalidInput(
                "now",
                f"{moment.exact(micros)} came, the clock stands at {moment.exact(self._micros)} "
                "and goes forward only (set_back steps back)",
            )
        self._micros = micros
