"""A verifier as somebody else would write it: from docs/ledger-spec.md alone, with other code.

It imports nothing of the library, and walks its proofs down from the root, not up from the leaf.
Whatever it does not take is a `ValueError`.
"""

import base64
import hashlib
import re
import sqlite3
import struct
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

COLUMNS = (
    "e.position, e.originator_id, e.originator_version, e.topic, e.state, e.command_id,"
    " c.kind, c.server_id, c.members, c.user_id, c.project_id, c.roles, c.request_id,"
    " c.correlation_id, c.caused_by, c.occurred_at, c.recorded_at, c.refused"
)


class Signed(NamedTuple):
    origin: str
    size: int
    root: bytes


# Leaves


def leaf(values: list[Any] | tuple[Any, ...]) -> bytes:
    """The bytes of a leaf of version 1, from its 18 values."""
    require(len(values) == 18, "18 values")
    return b"\xdc\x00\x13\x01" + b"".join(value(one) for one in values)


def value(one: Any) -> bytes:
    if one is None:
        return b"\xc0"
    if isinstance(one, int):
        return integer(one)
    if isinstance(one, float):
        return b"\xcb" + struct.pack(">d", one)
    if isinstance(one, str):
        text = one.encode("utf-8", "surrogateescape")
        if len(text) < 32:
            return bytes([0xA0 | len(text)]) + text
        return sized(len(text), b"\xd9\xda\xdb") + text
    return sized(len(one), b"\xc4\xc5\xc6") + one


def integer(one: int) -> bytes:
    if 0 <= one < 128 or -32 <= one < 0:
        return bytes([one & 0xFF])
    code, smallest = (0xCC, 0) if one > 0 else (0xD0, -1)
    for power in range(4):
        width = 8 << power
        if one < (1 << width) and one >= smallest << (width - 1):
            return bytes([code + power]) + (one & ((1 << width) - 1)).to_bytes(width // 8, "big")
    raise ValueError("larger than 64 bits")


def sized(length: int, codes: bytes) -> bytes:
    if length < 1 << 8:
        return codes[:1] + struct.pack(">B", length)
    if length < 1 << 16:
        return codes[1:2] + struct.pack(">H", length)
    return codes[2:] + struct.pack(">I", length)


def values(one: bytes) -> list[Any]:
    """The 18 values of a leaf, in whatever form."""
    require(one.startswith(b"\xdc\x00\x13\x01"), "a leaf of version 1")
    found: list[Any] = []
    at = 4
    while at < len(one):
        code = one[at]
        at += 1
        if code < 0x80 or code >= 0xE0:
            found.append(code if code < 0x80 else code - 0x100)
        elif code == 0xC0:
            found.append(None)
        elif code == 0xCB:
            found.append(*struct.unpack(">d", one[at : at + 8]))
            at += 8
        elif 0xCC <= code <= 0xD3:
            width = 1 << (code & 3)
            found.append(int.from_bytes(one[at : at + width], "big", signed=code >= 0xD0))
            at += width
        else:
            length, at = length_at(one, at, code)
            content = one[at : at + length]
            is_text = code not in (0xC4, 0xC5, 0xC6)
            found.append(content.decode("utf-8", "surrogateescape") if is_text else content)
            at += length
    return found


def length_at(one: bytes, at: int, code: int) -> tuple[int, int]:
    if 0xA0 <= code < 0xC0:
        return code - 0xA0, at
    widths = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
    require(code in widths, "a value that a leaf may hold")
    return int.from_bytes(one[at : at + widths[code]], "big"), at + widths[code]


def leaves_of_store(path: Any) -> dict[int, bytes]:
    """From a store's file, the leaf at each position, in order."""
    connection = sqlite3.connect(path)
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM stored_events e LEFT JOIN commands c USING (command_id)"
        " ORDER BY e.position"
    ).fetchall()
    connection.close()
    return {row[0]: leaf(row) for row in rows}


# Trees


def hash_leaf(one: bytes) -> bytes:
    return hashlib.sha256(b"\0" + one).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def split(size: int) -> int:
    part = 1
    while part * 2 < size:
        part *= 2
    return part


def root(hashes: list[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    part = split(len(hashes))
    return hash_node(root(hashes[:part]), root(hashes[part:]))


def root_by_inclusion(one: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    require(0 <= index < size, "an index below the size")
    if size == 1:
        require(not path, "no hash too many")
        return one
    require(bool(path), "no hash too few")
    part = split(size)
    if index < part:
        return hash_node(root_by_inclusion(one, index, part, path[:-1]), path[-1])
    return hash_node(path[-1], root_by_inclusion(one, index - part, size - part, path[:-1]))


def roots_by_consistency(
    old: int, size: int, path: list[bytes], old_root: bytes, whole: bool = True
) -> tuple[bytes, bytes]:
    """The roots of ``old`` and of ``size`` leaves that a proof leads to."""
    if old == size:
        if whole:
            require(not path, "no hash too many")
            return old_root, old_root
        require(len(path) == 1, "one hash left")
        return path[0], path[0]
    require(bool(path), "no hash too few")
    part = split(size)
    if old <= part:
        before, after = roots_by_consistency(old, part, path[:-1], old_root, whole)
        return before, hash_node(after, path[-1])
    before, after = roots_by_consistency(old - part, size - part, path[:-1], old_root, False)
    return hash_node(path[-1], before), hash_node(path[-1], after)


# Notes, checkpoints and proofs


def signed(note: bytes, public_pem: bytes) -> Signed:
    """What a checkpoint says, if the key has signed it."""
    text = note.decode("utf-8")
    require(not re.search("[\0-\x09\x0b-\x1f]", text), "no control characters")
    body, _, signatures = text.rpartition("\n\n")
    require(bool(body) and signatures.endswith("\n"), "a text and signatures")
    body += "\n"
    lines = body.split("\n")[:-1]
    require(len(lines) >= 3 and all(lines), "three lines or more, none empty")
    origin, size, root_line = lines[:3]
    require(bool(re.fullmatch("0|[1-9][0-9]{0,18}", size)), "a decimal size")
    public = load_pem_public_key(public_pem)
    raw = public.public_bytes_raw()  # type: ignore[union-attr]
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + raw).digest()[:4]
    good = False
    for line in signatures[:-1].split("\n"):
        match = re.fullmatch("— ([^\\s+]+) (\\S+)", line)
        require(match is not None, "a signature a line")
        assert match is not None
        content = decode64(match[2])
        require(len(content) > 4, "a key's id and a signature")
        if match[1] == origin and content[:4] == key_id:
            try:
                public.verify(content[4:], body.encode())  # type: ignore[union-attr, call-arg, arg-type]
            except InvalidSignature:
                raise ValueError("a signature of the text") from None
            good = True
    require(good, "a signature of the key")
    return Signed(origin, int(size), hash_of(root_line))


def included(proof: bytes, public_pem: bytes) -> tuple[Signed, int, bytes]:
    """The checkpoint, the index and the leaf of an inclusion proof that holds."""
    head, _, note = proof.decode("utf-8").partition("\n\n")
    first, extra, index, *path = [line for line in head.split("\n") if line[:1] != "#"]
    require(first == "c2sp.org/tlog-proof@v1", "the first line")
    require(extra.startswith("extra "), "a leaf")
    require(bool(re.fullmatch("index (0|[1-9][0-9]{0,18})", index)), "an index")
    checkpoint = signed(note.encode(), public_pem)
    one, number = decode64(extra[6:]), int(index[6:])
    require(len(path) <= 63, "63 hashes at most")
    found = root_by_inclusion(
        hash_leaf(one), number, checkpoint.size, [hash_of(line) for line in path]
    )
    require(found == checkpoint.root, "the signed root")
    require(leaf(values(one)) == one, "a leaf of version 1, in its only form")
    return checkpoint, number, one


def consistent(proof: bytes, public_pem: bytes) -> tuple[Signed, Signed]:
    """The two checkpoints of a consistency proof that holds."""
    parts = proof.decode("utf-8").split("\n\n")
    require(len(parts) == 5, "a head and two notes")
    first, *path = parts[0].split("\n")
    require(first == "serverdomain/consistency-proof@v1", "the first line")
    old = signed(f"{parts[1]}\n\n{parts[2]}\n".encode(), public_pem)
    new = signed(f"{parts[3]}\n\n{parts[4]}".encode(), public_pem)
    require(old.origin == new.origin and old.size <= new.size, "one log, the older first")
    hashes = [hash_of(line) for line in path]
    require(len(path) <= 63, "63 hashes at most")
    if old.size == 0:
        require(not hashes and old.root == root([]), "nothing, and no proof of it")
        return old, new
    before, after = roots_by_consistency(old.size, new.size, hashes, old.root)
    require(before == old.root and after == new.root, "both signed roots")
    return old, new


def hash_of(line: str) -> bytes:
    found = decode64(line)
    require(len(found) == 32, "32 bytes")
    return found


def decode64(text: str) -> bytes:
    found = base64.b64decode(text, validate=True)
    require(base64.b64encode(found).decode() == text, "canonical base64")
    return found


def require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)
