"""Where a log in PostgreSQL ends: asked of it, or known by the process that wrote last.

Who knows it, and that nobody else has written of late, need not ask: the statement that writes
moves the counter only from where it is known to be. If that fails, somebody else was there.
"""

from __future__ import annotations

from typing import NamedTuple

from serverdomain.errors import StoreDamaged, StoreReadOnly
from serverdomain.store.log import Row, Tip
from serverdomain.store.postgresql.feed import TIP, tip_of
from serverdomain.store.real_time import monotonic

HEAD = (
    "SELECT position, command_id, recorded_at, moved_to FROM {schema}.head"
    " ORDER BY position DESC LIMIT 1"
)
"""The last numbers that were given, and when; and where the log went, if it did.

By the index, so that none of the row's older versions is passed over.
"""

FROM_THERE_ON = (
    "position >= (SELECT h.position FROM {schema}.head h ORDER BY h.position DESC LIMIT 1)"
)
"""Finds the row that is to be moved by the index, too, for who does not know where it stands."""

HEAD_AND_TIP = (
    f"SELECT h.*, t.* FROM ({HEAD}) AS h LEFT JOIN LATERAL ({TIP}) AS t ON 0 = 0"
).replace("%s", "h.position")
"""The same, with the last row."""

_FRESH = 1.0
"""Seconds for which it is believed that nobody else writes. An idle connection may be lost, too."""


class End(NamedTuple):
    """The last numbers that were given, as `HEAD` has them, and the last row."""

    numbers: Row
    tip: Tip


def require_one(heads: list[Row], place: object) -> Row:
    """The one row of `HEAD`. Raises `StoreDamaged` where there is none."""
    if len(heads) != 1:
        raise StoreDamaged(f"{place} has no row in head, one is allowed")
    return heads[0]


def require_here(head: Row, place: object) -> Row:
    """The numbers in a row of `HEAD`. Raises `StoreReadOnly` where the log went elsewhere."""
    *numbers, went = head[:4]
    if went is not None:
        raise StoreReadOnly(f"{place} went to {went}: here it is only read (read_only=True)")
    return tuple(numbers)


def end_of(heads: list[Row], place: object) -> End:
    """What `HEAD_AND_TIP` found; raises as `require_one` and `require_here` do."""
    head = require_one(heads, place)
    return End(require_here(head, place), tip_of(head[4:]))


class LastWritten:
    """Where this process's last write ended, and whether it seems to be alone; for one thread."""

    def __init__(self) -> None:
        self._end: End | None = None
        self._at = 0.0
        self._is_alone = False

    def known(self) -> End | None:
        """Where the log ends, if nobody else has written of late; the next write may fail."""
        is_fresh = monotonic() < self._at + _FRESH
        return self._end if self._is_alone and is_fresh else None

    def found(self, end: End) -> None:
        """Note where it ends: nobody else wrote if that is where this process left it."""
        self._is_alone = self._end == end

    def wrote(self, end: End | None) -> None:
        """Note where a write ended; ``None`` if others wrote right before it."""
        self._end, self._at = end, monotonic()

    def forget(self) -> None:
        """Ask again, whatever was known."""
        self._end, self._is_alone = None, False
