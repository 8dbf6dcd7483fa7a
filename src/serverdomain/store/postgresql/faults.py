"""PostgreSQL's errors as ours: by SQLSTATE, on one line, and without what a URL holds."""

from __future__ import annotations

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from serverdomain.errors import (
    StoreDamaged,
    StoreError,
    StoreLocked,
    StoreMissing,
    StoreReadOnly,
)
from serverdomain.store.postgresql.address import Address

_INIT = "serverdomain store init makes one"
_WORDS: dict[str, tuple[type[StoreError], str]] = {
    "3D000": (StoreMissing, "names a database that is not there"),
    "3F000": (StoreMissing, f"has no such schema: {_INIT}"),
    "42P01": (StoreMissing, f"holds no store: {_INIT}"),
    "42501": (StoreReadOnly, "may not be read or written by this role"),
    "25006": (StoreReadOnly, "cannot be written: the server only reads"),
    "55P03": (StoreLocked, "is locked"),
    "57014": (StoreError, "did not answer in time, or was told to stop"),
    "53100": (StoreError, "cannot grow: the disk is full"),
    "28": (StoreError, "does not let this user in"),
    "08": (StoreError, "cannot be reached"),
    "53": (StoreError, "has no room for more"),
    "57": (StoreError, "is being shut down"),
    "XX": (StoreDamaged, "is damaged"),
}
"""By a whole SQLSTATE, or by its class."""


def store_error(error: Exception, address: Address) -> StoreError:
    """Our error for one of psycopg's or its pool's."""
    kind: type[StoreError]
    if isinstance(error, PoolTimeout | TooManyRequests):
        kind, words = StoreLocked, "gave no connection in time"
    elif isinstance(error, PoolClosed):
        kind, words = StoreError, "is closed"
    else:
        state = getattr(error, "sqlstate", None) or ""
        usual = "cannot be reached" if is_lost(error) else "cannot be used"
        kind, words = _WORDS.get(state) or _WORDS.get(state[:2]) or (StoreError, usual)
    ours = kind(f"{address} {words} ({' '.join(str(error).split())})")
    ours.place = address
    return ours


def is_lost(error: BaseException) -> bool:
    """Whether the connection went with the error, and another one may do better."""
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    state = getattr(error, "sqlstate", None)
    return state is None or state.startswith(("08", "57P"))
