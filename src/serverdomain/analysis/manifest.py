"""What a folder of Parquet holds: of which log, up to which position, in which files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from serverdomain.errors import InvalidInput

NAME = "manifest.json"

EVENTS_IN_A_BUCKET = 100_000
"""As many events as a bucket is to have."""

MOST_BUCKETS = 500
"""More files are not open at a time; then buckets grow."""


class Bucket(Struct, frozen=True):
    """A file that holds the whole history of some servers."""

    file: str
    events: int
    servers: int


class Manifest(Struct, frozen=True, kw_only=True):
    """``servers`` is the file of servers as of a moment, ``as_of``, where one was asked for."""

    format: Literal["serverdomain-parquet"] = "serverdomain-parquet"
    version: Literal[1] = 1
    log_id: str
    position: int
    events: int
    buckets: list[Bucket]
    servers: str | None = None
    as_of: str | None = None

    def write(self, folder: Path) -> None:
        """Write it into its folder, the last of all files."""
        content = msgspec.json.format(msgspec.json.encode(self), indent=2)
        (folder / NAME).write_bytes(content + b"\n")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a folder. Raises `InvalidInput` where there is none of this version."""
        path = folder / NAME
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            why = getattr(error, "strerror", None) or error
            raise InvalidInput(
                "folder",
                f"{str(folder)!r} came, whose {NAME} cannot be read ({why}), one that serverdomain "
                "export --format parquet wrote is allowed",
            ) from None
