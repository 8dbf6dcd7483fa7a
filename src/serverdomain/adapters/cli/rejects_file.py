"""The file that rejects go to: a new one, or one of earlier rejects, and nothing else."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from io import FileIO

import msgspec

from serverdomain.errors import InvalidInput, StoreLocked

_BEGINNING = b'{"place":"'
_BLOCK = 1024 * 1024  # Longer than any line.


def rejects_file(name: str, read_in: Sequence[str], *, behind: bool) -> FileIO:
    """Open it for writing in place of earlier rejects, or ``behind`` them.

    Raises `InvalidInput` where that would cost what somebody keeps, and `StoreLocked` where another
    process writes there.
    """
    try:
        if os.path.exists(name) and not os.path.isfile(name):
            return open(name, "wb", buffering=0)
        if any(_is_same(name, one) for one in read_in):
            raise InvalidInput("--rejects", f"{name!a} is read in here, another file is allowed")
        file = open(name, "r+b", buffering=0, opener=_made)  # noqa: SIM115  # Whoever asked closes it.
    except OSError as error:
        raise InvalidInput("--rejects", unusable(error)) from None
    try:
        _require_ours(file)
        file.truncate(file.seek(_end(file) if behind else 0))
    except BaseException:
        file.close()
        raise
    return file


def _made(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_CREAT, 0o666)


def _is_same(name: str, other: str) -> bool:
    return os.path.exists(name) and os.path.exists(other) and os.path.samefile(name, other)


def _require_ours(file: FileIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreLocked(f"--rejects: {file.name!a} is being written by another process") from None
    first, whole, _ = file.read(_BLOCK).partition(b"\n")
    if first and not (_is_reject(first) or (not whole and _is_half(first))):
        raise InvalidInput(
            "--rejects",
            f"{file.name!a} holds something else than rejects, a new file or one of rejects is "
            "allowed",
        )


def _end(file: FileIO) -> int:
    """Where the last whole line ends: half a one is what a machine that stopped left behind."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _BLOCK))
    last = file.read().rpartition(b"\n")[2]
    if _is_reject(last):
        return end + file.write(b"\n")  # Somebody's editor wrote none.
    return end - len(last)


def unusable(error: Exception) -> str:
    """Which file cannot be opened, and why."""
    if isinstance(error, OSError):
        return f"{error.filename!a} cannot be opened: {error.strerror}"
    return str(error)


def _is_half(line: bytes) -> bool:
    """Whether it is the beginning of a reject, which a machine that stopped left alone."""
    if not line.startswith(_BEGINNING):
        return False
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True
    return False


def _is_reject(line: bytes) -> bool:
    try:
        return {"place", "reason"} <= msgspec.json.decode(line, type=dict[str, str]).keys()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
