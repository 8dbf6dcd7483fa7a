"""A checkpoint (C2SP tlog-checkpoint): which log, how many events, and the root over them.

It is a signed note, to be kept off the machine; beside it lie the leaf hashes, which it vouches
for.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from serverdomain.audit.ledger import note
from serverdomain.audit.ledger.given import read
from serverdomain.audit.ledger.merkle import HASH_SIZE, root_of
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.audit.ledger.key import PublicKey, SigningKey

_SIZE = re.compile("0|[1-9][0-9]{0,18}")
_LARGEST_FILE = 1024 * 1024


class Checkpoint(NamedTuple):
    """What a checkpoint says: ``origin`` names the log, ``size`` counts the events under ``root``.

    ``whole`` is the note, with its signatures.
    """

    origin: str
    size: int
    root: bytes
    whole: bytes

    @classmethod
    def sign(cls, origin: str, size: int, root: bytes, key: SigningKey) -> Checkpoint:
        """Sign what a log holds."""
        text = f"{origin}\n{size}\n{b64encode(root).decode()}\n"
        return cls(origin, size, root, note.signed(text, origin, key).encode())

    @classmethod
    def read(cls, given: bytes, field: str = "checkpoint") -> Checkpoint:
        """Read one. Raises `InvalidInput`; whether it is signed is another question."""
        text = note.read(given, field).text
        origin, *others = text[:-1].split("\n")
        if not origin or len(others) < 2 or not all(others):
            raise InvalidInput(
                field, "other lines came, those of a checkpoint are allowed: origin, size and root"
            )
        if not _SIZE.fullmatch(others[0]):
            raise InvalidInput(field, f"size {others[0][:100]!r} came, a decimal number is allowed")
        root = note.unbase64(others[1], field)
        if len(root) != HASH_SIZE:
            raise InvalidInput(field, f"a root of {len(root)} bytes came, {HASH_SIZE} are allowed")
        return cls(origin, int(others[0]), root, given)

    @classmethod
    def read_file(cls, path: str | Path, field: str = "checkpoint") -> Checkpoint:
        """Read one from a file."""
        return cls.read(read(path, field, "a checkpoint", _LARGEST_FILE), field)

    def require_signed(self, keys: Sequence[PublicKey]) -> None:
        """Raise `Unproven` where none of the keys signed it."""
        note.read(self.whole, "checkpoint").require_signed(self.origin, keys)

    def vouches_for(self, run: bytes) -> bool:
        """Whether a run of leaf hashes is the one under its root."""
        return len(run) == self.size * HASH_SIZE and root_of(run, 0, self.size) == self.root


def leaves_path(path: str | Path) -> Path:
    """Where the leaf hashes of a checkpoint's file lie."""
    return Path(f"{path}.leaves")


def leaves_of(checkpoint: Checkpoint, path: str | Path) -> tuple[bytes | None, str | None]:
    """The leaf hashes beside a checkpoint's file, or why there are none to be trusted."""
    beside = leaves_path(path)
    try:
        with beside.open("rb") as file:
            # The file may be of a later checkpoint of the log, which was cut off half-way.
            wanted = checkpoint.size * HASH_SIZE
            run = file.read(wanted) if os.fstat(file.fileno()).st_size >= wanted else b""
    except OSError as error:
        return None, f"{beside} cannot be read ({error.strerror})"
    if not checkpoint.vouches_for(run):
        return None, f"{beside} holds other leaves than those that were signed"
    return run, None
