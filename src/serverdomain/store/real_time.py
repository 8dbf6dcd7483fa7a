"""Seconds that pass for whoever waits, by a clock that no test freezes or moves.

`freezegun` patches `time.monotonic` as well: a wait for a lock would have no end.
"""

from __future__ import annotations

import time
from functools import partial

monotonic = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else time.monotonic
)
"""Seconds since some moment, as a number that never falls."""

sleep = time.sleep
"""Waits so many seconds; `freezegun` leaves it as it is."""
