"""Files that are there whole or not at all, whatever happens to the machine meanwhile.

A file is written under a hidden name beside its place, and locked for as long as its writer lives.
What a killed writer left there is removed when the same file is written the next time.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from serverdomain.errors import InvalidInput, StoreError


@contextmanager
def replacing(path: Path, field: str) -> Iterator[BinaryIO]:
    """A file to write, which takes its place at ``path`` when the block ends, and only then.

    What a symbolic link leads to is replaced, not the link.

    Raises `InvalidInput`, which names ``field``, where there is no place, and `StoreError` where
    the disk does not take it.
    """
    if os.path.islink(path):
        path = Path(os.path.realpath(path))
    with _written(path, field, 0o666, os.replace) as file:
        yield file


@contextmanager
def adding(path: Path, field: str, mode: int = 0o666) -> Iterator[BinaryIO]:
    """The same for a file that is not there yet, of this mode from its first byte.

    Raises `InvalidInput` where there is one already, also if it came meanwhile.
    """
    if os.path.lexists(path):
        raise _taken(path, field)
    with _written(path, field, mode, _move_to_new) as file:
        yield file


def write_new(path: Path, content: bytes, field: str, mode: int = 0o666) -> None:
    """Write a file that is not there, of this mode from its first byte."""
    with adding(path, field, mode) as file:
        file.write(content)


def move_new(part: Path, path: Path, field: str) -> None:
    """Let a file that is whole take its place, where there is none yet; both are synced.

    Raises `InvalidInput` where one came meanwhile, and `StoreError`.
    """
    with _telling(path, field):
        with part.open("rb") as file:
            os.fsync(file.fileno())
        _move_to_new(part, path)
        sync_folder(path)


@contextmanager
def _telling(path: Path, field: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise _taken(path, field) from None
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _written(
    path: Path, field: str, mode: int, move: Callable[[Path, Path], None]
) -> Iterator[BinaryIO]:
    _remove_leftovers(path)
    file = _open_part(path, field, mode)
    part = Path(file.name)
    try:
        with _telling(path, field):
            # It moves before it is closed: until then nobody takes it for a leftover.
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
                move(part, path)
            sync_folder(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _open_part(path: Path, field: str, mode: int) -> BinaryIO:
    while True:
        try:
            part = path.with_name(f".{path.name}.{token_hex(4)}.part")
            file = open(  # noqa: SIM115
                part, "xb", opener=lambda name, flags: os.open(name, flags, mode)
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InvalidInput(
                field, f"{str(path)!r} cannot be written ({why}), a new file is allowed"
            ) from None
        # Where a file system knows no locks, leftovers are not told from files at work, and stay.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another writer may have looked before it was locked, and removed it.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def _remove_leftovers(path: Path) -> None:
    part = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.part")
    with suppress(OSError):
        for beside in path.parent.iterdir():
            if part.fullmatch(beside.name):
                with suppress(OSError), beside.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    beside.unlink()


def _move_to_new(part: Path, path: Path) -> None:
    # A link, because renaming would replace a file that came meanwhile.
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links.
        if os.path.lexists(path):
            raise FileExistsError from None
        part.rename(path)
    else:
        part.unlink()


def _taken(path: Path, field: str) -> InvalidInput:
    return InvalidInput(field, f"{str(path)!r} is there already, a new file is allowed")


def sync_folder(path: Path) -> None:
    """Have a file's name on the disk. Raises `OSError`."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
