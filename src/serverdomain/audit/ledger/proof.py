"""Proofs as files, which whoever has the public key checks without the log.

An inclusion proof is C2SP's tlog-proof, with the leaf itself as its extra data; a consistency proof
has a form of its own, with both checkpoints in it. Words for a reader may stand before it, which
are not proved. docs/ledger-spec.md says all that.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from serverdomain.audit.ledger import leaf as leaves
from serverdomain.audit.ledger import merkle
from serverdomain.audit.ledger.checkpoint import Checkpoint
from serverdomain.audit.ledger.note import unbase64
from serverdomain.errors import InvalidInput, Unproven

if TYPE_CHECKING:
    from serverdomain.audit.ledger.key import PublicKey

INCLUSION = "c2sp.org/tlog-proof@v1"
CONSISTENCY = "serverdomain/consistency-proof@v1"

_INDEX = re.compile("index (0|[1-9][0-9]{0,18})")
_LONGEST_PATH = 63
_WORDS = "#"


class Included(NamedTuple):
    """An event is in the log that was signed: ``event`` has the leaf's fields by their names.

    ``said`` are the words before the proof, which it does not prove.
    """

    checkpoint: Checkpoint
    rank: int
    event: dict[str, Any]
    said: tuple[str, ...] = ()


class Consistent(NamedTuple):
    """All that the older checkpoint covers stands unchanged under the newer one."""

    old: Checkpoint
    new: Checkpoint


def inclusion(
    leaf: bytes,
    rank: int,
    path: Sequence[bytes],
    checkpoint: Checkpoint,
    says: Sequence[str] = (),
) -> bytes:
    """The file that proves a leaf, behind lines that only ``says`` something."""
    head = [
        *(f"{_WORDS} {line}" for line in says),
        INCLUSION,
        f"extra {b64encode(leaf).decode()}",
        f"index {rank}",
        *map(_line, path),
    ]
    return "\n".join([*head, "", ""]).encode() + checkpoint.whole


def consistency(path: Sequence[bytes], old: Checkpoint, new: Checkpoint) -> bytes:
    """The file that proves that one checkpoint goes on from another."""
    head = "\n".join([CONSISTENCY, *map(_line, path), "", ""]).encode()
    return head + old.whole + b"\n" + new.whole


def check(given: bytes, keys: Sequence[PublicKey]) -> Included | Consistent:
    """What a proof proves, if one of the keys signed its checkpoints.

    Raises `InvalidInput` for what is no proof, `Unproven` for one that does not hold.
    """
    try:
        head, *parts = given.decode("utf-8").split("\n\n")
    except UnicodeDecodeError:
        raise InvalidInput("proof", "bytes came that are no text, a proof is allowed") from None
    first, *lines = head.split("\n")
    said = []
    while first.startswith(_WORDS) and lines:
        said.append(first.removeprefix(_WORDS).strip())
        first, *lines = lines
    kind = first
    if kind == INCLUSION and len(parts) == 2:
        signed = Checkpoint.read("\n\n".join(parts).encode(), "proof")
        return _included(lines, signed, keys)._replace(said=tuple(said))
    if kind == CONSISTENCY and len(parts) == 4:
        old = Checkpoint.read(f"{parts[0]}\n\n{parts[1]}\n".encode(), "proof")
        new = Checkpoint.read(f"{parts[2]}\n\n{parts[3]}".encode(), "proof")
        return _consistent(lines, old, new, keys)
    raise InvalidInput(
        "proof",
        f"{kind[:100]!r} came with {len(parts)} parts behind it, {INCLUSION!r} with a checkpoint "
        f"is allowed, or {CONSISTENCY!r} with two",
    )


def each(given: bytes) -> Iterator[bytes]:
    """The proofs of a file that holds some, one behind the other."""
    signature = "\N{EM DASH} ".encode()
    begun: list[bytes] = []
    for line in given.splitlines(keepends=True):
        begins = line.startswith((_WORDS.encode(), f"{INCLUSION}\n".encode()))
        if begins and begun and begun[-1].startswith(signature):
            yield b"".join(begun)
            begun = []
        begun.append(line)
    yield b"".join(begun)


def _included(lines: list[str], checkpoint: Checkpoint, keys: Sequence[PublicKey]) -> Included:
    if not lines or not lines[0].startswith("extra "):
        raise InvalidInput("proof", "no leaf came, a line is allowed: 'extra base64'")
    leaf = unbase64(lines[0].removeprefix("extra "), "proof")
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if index is None:
        raise InvalidInput("proof", "no index came, a line is allowed: 'index number'")
    path = _path(lines[2:])
    checkpoint.require_signed(keys)
    rank = int(index[1])
    root = merkle.root_from_inclusion(merkle.leaf_hash(leaf), rank, checkpoint.size, path)
    if root != checkpoint.root:
        raise Unproven(
            f"the proof of index {rank} does not lead to the root that {checkpoint.origin} signed"
        )
    return Included(checkpoint, rank, leaves.decoded(leaf))


def _consistent(
    lines: list[str], old: Checkpoint, new: Checkpoint, keys: Sequence[PublicKey]
) -> Consistent:
    path = _path(lines)
    old.require_signed(keys)
    new.require_signed(keys)
    if old.origin != new.origin:
        raise Unproven(f"the checkpoints are of two logs, {old.origin} and {new.origin}")
    if not merkle.is_consistent(old.size, old.root, new.size, new.root, path):
        raise Unproven(
            f"the proof does not lead from the root of {old.size} events to that of {new.size}"
        )
    return Consistent(old, new)


def _path(lines: list[str]) -> list[bytes]:
    if len(lines) > _LONGEST_PATH:
        raise InvalidInput("proof", f"{len(lines)} hashes came, {_LONGEST_PATH} are allowed")
    path = [unbase64(line, "proof") for line in lines]
    for one in path:
        if len(one) != merkle.HASH_SIZE:
            raise InvalidInput(
                "proof", f"a hash of {len(one)} bytes came, {merkle.HASH_SIZE} are allowed"
            )
    return path


def _line(one: bytes) -> str:
    return b64encode(one).decode()
