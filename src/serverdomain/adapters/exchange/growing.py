"""A file of lines that grows: begun, or gone on with where it ends, whatever cut it off."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, NamedTuple

from serverdomain.adapters.exchange.form import End
from serverdomain.adapters.exchange.line import LONGEST
from serverdomain.errors import InvalidInput, StoreError, StoreLocked

_BLOCK = 64 * 1024


class Growing(NamedTuple):
    """A file that is written behind its last whole line, whose ``end`` is told."""

    file: BinaryIO
    end: End | None


@contextmanager
def growing(path: Path, end_of: Callable[[bytes], End]) -> Iterator[Growing]:
    """Open a file to be gone on with, or a new one; half a line at its end is cut off.

    Raises `InvalidInput` for a file that is no such export, which is not touched, `StoreLocked`
    where another process writes it, and `StoreError` where the disk does not take it.
    """
    is_new = False
    try:
        with os.fdopen(_opened(path), "r+b") as file:
            _lock(file, path)
            last, whole = _last_line(file, path)
            try:
                end = None if last is None else end_of(last)
            except (ValueError, KeyError, TypeError):
                raise _foreign(path) from None
            is_new = whole == 0
            file.truncate(whole)
            file.seek(whole)
            yield Growing(file, end)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if is_new:
            _forget_half_a_line(path)
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error


def _forget_half_a_line(path: Path) -> None:
    """Empty a file that was begun and has no whole line: of half a one nobody knows what it is."""
    with suppress(OSError), path.open("r+b") as file:
        if b"\n" not in file.read(LONGEST):
            file.truncate(0)


def _opened(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise InvalidInput(
        "FILE", f"{str(path)!r} is a pipe or a device, a file, or - for stdout, is allowed"
    )


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreLocked(f"{path} is being written by another export") from None


def _last_line(file: BinaryIO, path: Path) -> tuple[bytes | None, int]:
    """The last whole line, and where it ends."""
    size = file.seek(0, os.SEEK_END)
    tail = b""
    block = _BLOCK
    while len(tail) < size and tail.count(b"\n") < 2 and len(tail) <= 2 * LONGEST:
        block = min(2 * block, size)
        file.seek(size - block)
        tail = file.read(block)
    whole, found, half = tail.rpartition(b"\n")
    if not found:
        if half:
            raise _foreign(path)
        return None, 0
    return whole.rpartition(b"\n")[2] + b"\n", size - len(half)


def _foreign(path: Path) -> InvalidInput:
    return InvalidInput(
        "FILE",
        f"{str(path)!r} holds something else than an export in this form, a new file or one that "
        "is to be gone on with is allowed",
    )
