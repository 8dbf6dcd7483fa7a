"""What could not be read, each with its reason: said, and kept in a file if one is wanted."""

from __future__ import annotations

import os
from contextlib import suppress
from io import FileIO
from pathlib import Path
from stat import S_ISREG

import msgspec

from serverdomain.errors import StoreError
from serverdomain.store.durable import sync_folder

_LONGEST_REJECT = 64 * 1024
_SECRETS = (b"adminpass", b"admin_pass", b"password", b"auth_token")


class Rejects:
    """What could not be read, as JSON lines in a file if one is wanted.

    The first few are kept to be said. Raises `StoreError` where the disk does not take a line, of
    which no half stays there.
    """

    MOST_SAID = 5

    def __init__(self, file: FileIO | None = None) -> None:
        self._file = file
        self._synced = self._whole = 0
        if file is not None and S_ISREG(os.fstat(file.fileno()).st_mode):
            self._synced = self._whole = file.tell()
        self.said: list[str] = []

    def take(self, place: str, raw: bytes, why: str) -> None:
        """Take one more."""
        if len(self.said) < self.MOST_SAID:
            self.said.append(f"{place}: {why}")
        if self._file is None:
            return
        # A file's name need not be UTF-8.
        named = place.encode("utf-8", "backslashreplace").decode()
        line: dict[str, str] = {"place": named, "reason": why}
        # Nova's messages hold no password. What else somebody feeds in may.
        if not any(secret in raw.lower() for secret in _SECRETS):
            line["message"] = raw[:_LONGEST_REJECT].decode("utf-8", "backslashreplace")
        self._write(self._file, msgspec.json.encode(line) + b"\n")

    def keep(self) -> None:
        """Have what was taken on the disk, so that nobody else need keep it."""
        file = self._file
        if file is None or self._synced == self._whole:
            return
        try:
            if S_ISREG(os.fstat(file.fileno()).st_mode):
                os.fsync(file.fileno())
                sync_folder(Path(os.path.realpath(os.fsdecode(file.name))))
        except OSError as error:
            raise _cannot_be_written(file, error) from None
        self._synced = self._whole

    def _write(self, file: FileIO, line: bytes) -> None:
        left = memoryview(line)
        try:
            while left:
                left = left[file.write(left) or 0 :]
        except OSError as error:
            with suppress(OSError):
                file.truncate(self._whole)
            raise _cannot_be_written(file, error) from None
        self._whole += len(line)


def _cannot_be_written(file: FileIO, error: OSError) -> StoreError:
    return StoreError(f"--rejects: {str(file.name)!a} cannot be written: {error.strerror}")
