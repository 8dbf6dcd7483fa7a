"""Waiting for a position to come: what one node wrote, read at another."""

from __future__ import annotations

from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput, StoreBehind
from serverdomain.projections.follow import LOOK
from serverdomain.store.log import LARGEST, Log
from serverdomain.store.real_time import monotonic

SECONDS = 5.0
"""How long a position is waited for, if nobody says."""

LONGEST = 86_400 * 366
"""How long anything may be waited for, in seconds: a year."""


def require_position(position: int | None, seconds: float) -> None:
    """Raise `InvalidInput` unless somebody can wait so long for such a position."""
    if position is not None and not 0 <= position <= LARGEST:
        raise InvalidInput("position", f"{shown(position)} came, 0 to {LARGEST} is allowed")
    if not 0 <= seconds <= LONGEST:
        raise InvalidInput("seconds", f"{shown(seconds)} came, 0 to {LONGEST:,} is allowed")


def wait_for(log: Log, position: int | None, seconds: float, request_id: str | None = None) -> None:
    """Wait until the log, as it is read here, holds a position; ``None`` is there at once.

    Raises `StoreBehind` where that takes longer than ``seconds``, and where the command that had
    the position is no more: a log that went back gives it to another.
    """
    require_position(position, seconds)
    if position is None:
        return
    until = monotonic() + seconds
    while True:
        with log.reading() as reading:
            head = reading.head()
            if head >= position:
                if request_id is not None and reading.command(request_id) is None:
                    raise StoreBehind(
                        f"position {position} is another command's: the log went back, and "
                        f"{request_id} is in it no more"
                    )
                return
        left = until - monotonic()
        if left <= 0:
            raise StoreBehind(f"position {position} is not here: the log ends at {head} as yet")
        log.wait_past(head, min(LOOK, left))
