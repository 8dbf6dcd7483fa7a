"""The file that rejects go to: a new one, or in place of earlier rejects, and of nothing else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO

import msgspec

from serverdomain.errors import InvalidInput

_FIRST_LINE = 1024 * 1024


def rejects_file(name: str, read_in: Sequence[str]) -> IO[bytes]:
    """Open it for writing. Raises `InvalidInput` where that would cost what somebody keeps."""
    try:
        if not os.path.isfile(name):
            return open(name, "wb")
        if any(os.path.exists(one) and os.path.samefile(name, one) for one in read_in):
            raise InvalidInput("--rejects", f"{name!a} is read in here, another file is allowed")
        file = open(name, "r+b")  # noqa: SIM115  # Whoever asked closes it.
    except OSError as error:
        raise InvalidInput("--rejects", unusable(error)) from None
    first = file.readline(_FIRST_LINE)
    if first and not _is_reject(first):
        file.close()
        raise InvalidInput(
            "--rejects",
            f"{name!a} holds something else than rejects, a new file or one of rejects is allowed",
        )
    file.seek(0)
    file.truncate()
    return file


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
