"""What SQLite calls runs one at a time, and an error in it is an I/O error and no success."""

from __future__ import annotations

import sqlite3
from ctypes import CFUNCTYPE, c_int
from threading import Barrier, BrokenBarrierError, Thread

from .callbacks import Callbacks

Plain = CFUNCTYPE(c_int)


def test_an_exception_is_answered_with_an_io_error_and_kept() -> None:
    def fail() -> int:
        raise KeyError("missing")

    callbacks = Callbacks()
    answer = Plain(callbacks.address(Plain, fail))()

    assert answer == sqlite3.SQLITE_IOERR
    assert [repr(error) for error in callbacks.errors] == ["KeyError('missing')"]


def test_two_threads_are_never_in_callbacks_at_once() -> None:
    both_inside = Barrier(2)

    def meet() -> int:
        both_inside.wait(timeout=0.2)
        return 0

    callbacks = Callbacks()
    functions = [Plain(callbacks.address(Plain, meet)) for _ in range(2)]
    threads = [Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [type(error) for error in callbacks.errors] == [BrokenBarrierError] * 2
