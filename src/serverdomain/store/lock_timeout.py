"""How long to wait for a lock: ``SERVERDOMAIN_LOCK_TIMEOUT``, in seconds."""

from __future__ import annotations

import os

from serverdomain.errors import InvalidInput

LOCK_TIMEOUT = "SERVERDOMAIN_LOCK_TIMEOUT"

DEFAULT_SECONDS = 30.0
"""How long to wait for a lock where nothing is set."""


def lock_timeout_setting() -> float:
    """How long to wait for a lock, in seconds. Raises `InvalidInput`."""
    given = os.environ.get(LOCK_TIMEOUT, f"{DEFAULT_SECONDS:g}")
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise InvalidInput(LOCK_TIMEOUT, f"{given!r} came, 0 to 86400 seconds are allowed")
    return seconds
