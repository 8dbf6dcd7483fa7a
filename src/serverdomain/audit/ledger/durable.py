"""Files that are there whole or not at all, whatever happens to the machine meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from serverdomain.errors import InvalidInput


@contextmanager
def replacing(path: Path, field: str) -> Iterator[BinaryIO]:
    """A file to write, which takes its place at ``path`` when the block ends, and only then.

    Raises `InvalidInput`, which names ``field``, where there is no place.
    """
    beside = path.with_name(f".{path.name}.{token_hex(4)}")
    file = _open_new(beside, path, field, 0o666)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        _sync_folder(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def write_new(path: Path, content: bytes, field: str, mode: int = 0o666) -> None:
    """Write a file that is not there, of this mode from its first byte."""
    with _open_new(path, path, field, mode) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path)


def read(path: str | Path, field: str, what: str, most: int) -> bytes:
    """The content of a file, at most so many bytes; `InvalidInput` where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(
            field, f"{str(path)!r} cannot be read ({why}), {what} is allowed"
        ) from None


def _open_new(path: Path, meant: Path, field: str, mode: int) -> BinaryIO:
    try:
        return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
    except OSError as error:
        raise InvalidInput(
            field, f"{str(meant)!r} cannot be written ({error.strerror}), a new file is allowed"
        ) from None


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
