"""Real time for whoever waits, or looks at files, by clocks that no test freezes or moves.

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

now_ns = (
    partial(time.clock_gettime_ns, time.CLOCK_REALTIME)
    if hasattr(time, "clock_gettime_ns")
    else time.time_ns
)
"""The time in nanoseconds since 1970, as the system writes it beside a file."""

sleep = time.sleep
"""Waits so many seconds; `freezegun` leaves it as it is."""
