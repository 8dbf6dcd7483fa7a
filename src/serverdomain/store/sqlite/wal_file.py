"""Whether a write-ahead log holds a commit, told from its bytes and not by SQLite.

SQLite removes one that holds none when it closes the database, whoever left it there and why.
"""

from __future__ import annotations

import sys
from array import array
from pathlib import Path
from struct import unpack
from typing import BinaryIO

MOST = 1_000
"""Frames in which a commit is looked for: a page each, and about 0.1 ms."""

_HEADER, _FRAME = 32, 24
_MAGIC = 0x377F0682
_WORD = 0xFFFFFFFF


def holds_a_commit(wal: Path) -> bool | None:
    """Whether SQLite would find a commit in it; ``None`` if its beginning does not tell."""
    try:
        with wal.open("rb") as file:
            return _commits(file)
    except OSError:
        return None


def _commits(file: BinaryIO) -> bool | None:
    header = file.read(_HEADER)
    if len(header) < _HEADER:
        return False
    magic, _, page, _, *salt, first, second = unpack(">8I", header)
    if magic & ~1 != _MAGIC or not 512 <= page <= 65_536:
        return False
    swapped = (magic & 1 == 1) != (sys.byteorder == "big")
    sums = _summed(header[:24], (0, 0), swapped)
    if sums != (first, second):
        return False
    for _ in range(MOST):
        frame = file.read(_FRAME + page)
        if len(frame) < _FRAME + page:
            return False
        _, committed, *its_salt, first, second = unpack(">6I", frame[:_FRAME])
        sums = _summed(frame[:8] + frame[_FRAME:], sums, swapped)
        if its_salt != salt or sums != (first, second):
            return False
        if committed:
            return True
    return None


def _summed(content: bytes, before: tuple[int, int], swapped: bool) -> tuple[int, int]:
    words = array("I", content)
    if swapped:
        words.byteswap()
    one, two = before
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & _WORD
        two = (two + second + one) & _WORD
    return one, two
