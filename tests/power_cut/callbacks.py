"""Python functions that SQLite calls: one at a time, never freed, and never silent about an error.

All of them share one lock, held over an operation and its entry in the log, so that the log's order
is the files'.
"""

from __future__ import annotations

import ctypes
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

# A connection that outlives its recording still calls these: freed, they would crash the process.
_alive: list[object] = []


class Callbacks:
    """`errors` holds what the functions raised, which SQLite was told is an I/O error."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self._lock = threading.Lock()

    def address(self, prototype: Callable[..., Any], answer: Callable[..., int]) -> int:
        """Where SQLite finds the function, for good."""

        def answered(*arguments: Any) -> int:
            # What leaves a callback is printed, and answered with 0: SQLite's word for success.
            try:
                with self._lock:
                    return answer(*arguments)
            except BaseException as error:
                self.errors.append(error)
                return sqlite3.SQLITE_IOERR

        callback = prototype(answered)
        _alive.append(callback)
        address = ctypes.cast(callback, ctypes.c_void_p).value
        assert address is not None
        return address
