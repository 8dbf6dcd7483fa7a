"""The file that rejects go to: a new one, or one of earlier rejects, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import FileIO

import msgspec

from serverdomain.errors import InvalidInput

_BLOCK = 1024 * 1024  # Longer than any line.


def rejects_file(name: str, read_in: Sequence[str], *, behind: bool) -> FileIO:
    """Open it for writing in place of earlier rejects, or ``behind`` them.

    Raises `InvalidInput` where that would cost what somebody keeps.
    """
    try:
        if not os.path.isfile(name):
            return open(name, "wb", buffering=0)
        if any(os.path.exists(one) and os.path.samefile(name, one) for one in read_in):
            raise InvalidInput("--rejects", f"{name!a} is read in here, another file is allowed")
        file = open(name, "r+b", buffering=0)  # noqa: SIM115  # Whoever asked closes it.
    except OSError as error:
        raise InvalidInput("--rejects", unusable(error)) from None
    first = file.read(_BLOCK).partition(b"\n")[0]
    if first and not _is_reject(first):
        file.close()
        raise InvalidInput(
            "--rejects",
            f"{name!a} holds something else than rejects, a new file or one of rejects is allowed",
        )
    file.truncate(file.seek(_end(file) if behind else 0))
    return file


def _end(file: FileIO) -> int:
    """Where the last whole line ends: half a one is what a machine that stopped left behind."""
    begun = max(0, file.seek(0, os.SEEK_END) - _BLOCK)
    file.seek(begun)
    return begun + file.read().rfind(b"\n") + 1


def unusable(error: Exception) -> str:
    """Which file cannot be opened, and why."""
    if isinstance(error, OSError):
        return f"{error.filename!a} cannot be opened: {error.strerror}"
    return str(error)


def _is_reject(line: bytes) -> bool:
    try:
        return {"place", "reason"} <= msgspec.json.decode(line, type=dict[str, str]).keys()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
