"""Whether there is room for the memory that SQLite shares between processes.

The ``-shm`` beside a database is mapped into memory. SQLite makes sure of the last byte of each
page of 4 KiB alone, which on a file system of smaller blocks leaves holes. Where the disk is full,
writing into one ends the process with SIGBUS: no error could be told.
"""

from __future__ import annotations

import os
from errno import ENOSPC
from pathlib import Path

from serverdomain.errors import StoreError

_PAGE = 4096
_NEEDED = 128 * 1024
"""Bytes free; the file takes 32 KiB, and what is made beside it a block or two."""


def require_room(path: Path) -> None:
    """Raise `StoreError` where a database could not be opened without the danger of SIGBUS."""
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return
    if disk.f_frsize >= _PAGE or disk.f_bavail * disk.f_frsize >= _NEEDED:
        return
    try:
        there = os.stat(f"{path}-shm")
        if there.st_size and there.st_blocks * 512 >= there.st_size:
            return
    except OSError:
        pass
    raise StoreError(
        f"{path} cannot be opened: the disk is full, {_NEEDED // 1024} KiB free are needed for "
        "what SQLite keeps beside it"
    ) from OSError(ENOSPC, os.strerror(ENOSPC))
