"""The test vectors of docs/ledger-spec.md; ``python -m tests.audit.ledger.vectors`` writes them.

What is hostile is made by somebody who may even hold the key: a verifier must refuse all of it.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from serverdomain.audit.ledger import merkle, note, proof
from serverdomain.audit.ledger.checkpoint import Checkpoint
from serverdomain.audit.ledger.key import SigningKey
from serverdomain.audit.ledger.leaf import FIELDS, encoded

FOLDER = Path(__file__).parents[2] / "data/ledger"

ORIGIN = "serverdomain/e1cb8d2f-9f2a-4d0a-8a52-6d9a1d6d64f1"
OTHER_ORIGIN = "serverdomain/155d900f-4e14-4e4c-a73d-069cbf4541e6"

# The secret keys of the first two tests in RFC 8032: everybody knows them.
KEY = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
OTHER_KEY = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"


def key(secret: str = KEY) -> SigningKey:
    return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))


class Vector(NamedTuple):
    """A file, what kind of text it holds, and why it must be refused, if it must."""

    name: str
    kind: str
    content: bytes
    why: str | None = None


HEX = "075e40fe9f034652ba8e5f8e2547899a"
SERVER = "075e40fe-9f03-4652-ba8e-5f8e2547899a"


def event(position: int, **values: Any) -> list[Any]:
    """A leaf's values, without the version."""
    row: dict[str, Any] = {
        "position": position,
        "originator_id": HEX,
        "originator_version": position,
        "topic": "serverdomain:ServerRenamed:1",
        "state": f'{{"name":"name {position}"}}',
        "command_id": position,
        "kind": "rename",
        "server_id": SERVER,
        "members": f'{{"name":"name {position}"}}',
        "user_id": "fake",
        "project_id": "openstack",
        "roles": '["member"]',
        "request_id": f"req-{position}",
        "correlation_id": None,
        "caused_by": None,
        "occurred_at": 1347470437000000,
        "recorded_at": 1347470437000000 + position,
        "refused": 0,
    }
    return list({**row, **values}.values())


_NO_COMMAND: dict[str, Any] = dict.fromkeys(FIELDS[6:])


def rows() -> list[list[Any]]:
    """Rows of every kind, for leaves alone."""
    integers = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1]
    integers += [-1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63)]
    texts = ["", "x" * 31, "x" * 32, "x" * 255, "x" * 256, "x" * 65536, "é" * 16, 'q"\\/\n', "a\0b"]
    blobs = [b"", b"\x00\xff", b"x" * 255, b"x" * 256, b"x" * 65536]
    return [
        event(1),
        event(7, correlation_id="req-batch", caused_by="req-6", refused=1),
        event(9, topic="theirs:Happened", state=b"\x00\xff", command_id=None, **_NO_COMMAND),
        event(10, command_id=99, **_NO_COMMAND),
        *(event(20, occurred_at=number) for number in integers),
        *(event(30, state=text) for text in texts),
        *(event(40, state=blob) for blob in blobs),
        *(event(50, state=number) for number in (0.0, -1.5, 1e300)),
        event(60, state="\udcff\udcfe"),
    ]


def shown(one: Any) -> Any:
    """A value as JSON has it, or as an object where JSON has nothing like it."""
    if isinstance(one, str | bytes) and len(one) > 1000:
        kind = "text" if isinstance(one, str) else "bytes"
        return {kind: b"x".hex(), "times": len(one)}
    if isinstance(one, bytes):
        return {"bytes": one.hex()}
    if isinstance(one, float):
        return {"float": one.hex()}
    if isinstance(one, str) and "\udcff" in one:
        return {"text": one.encode("utf-8", "surrogateescape").hex()}
    return one


def leaf(row: list[Any]) -> bytes:
    return encoded(tuple(row))


LEAVES = [leaf(event(position)) for position in range(1, 8)]
HASHES = [merkle.leaf_hash(one) for one in LEAVES]
RUN = b"".join(HASHES)


def root(size: int, run: bytes = RUN) -> bytes:
    return merkle.root_of(run, 0, size)


def signed(text: str, *, secret: str = KEY, name: str = ORIGIN) -> bytes:
    return note.signed(text, name, key(secret)).encode()


def text(size: object = 7, root_line: str | None = None, origin: str = ORIGIN) -> str:
    return f"{origin}\n{size}\n{root_line or b64(root(7))}\n"


def b64(content: bytes) -> str:
    return b64encode(content).decode()


def checkpoint(size: int, run: bytes = RUN, **how: str) -> Checkpoint:
    return Checkpoint.read(signed(text(size, b64(root(size, run))), **how))


def included(index: int = 4, size: int = 7, one: bytes | None = None, **changed: Any) -> bytes:
    path = changed.get("path", merkle.Levels(RUN, size).inclusion(index))
    return proof.inclusion(
        LEAVES[index] if one is None else one,
        changed.get("said", index),
        path,
        changed.get("under", checkpoint(size)),
    )


def consistent(old: int = 3, new: int = 7, **changed: Any) -> bytes:
    return proof.consistency(
        changed.get("path", merkle.consistency(RUN, old, new)),
        changed.get("under", checkpoint(old)),
        changed.get("over", checkpoint(new)),
    )


def vectors() -> Iterator[Vector]:
    yield from _good()
    for name, kind, content, why in (*_checkpoints(), *_inclusions(), *_consistencies()):
        yield Vector(f"hostile/{name}", kind, content, why)


def _good() -> Iterator[Vector]:
    for size in (0, 1, 7):
        yield Vector(f"good/{size}.checkpoint", "checkpoint", checkpoint(size).whole)
    whole = checkpoint(7).whole
    witness = note.signed(text(), "witness.example/w1", key(OTHER_KEY)).encode()
    both = whole + witness.rpartition(b"\n\n")[2]
    yield Vector("good/cosigned.checkpoint", "checkpoint", both)
    yield Vector("good/more-lines.checkpoint", "checkpoint", signed(text() + "one more\n"))
    for size in (1, 2, 7):
        for index in range(size):
            name = f"good/{index}-of-{size}.tlog-proof"
            yield Vector(name, "inclusion", included(index, size))
    for old in range(8):
        for new in (4, 7):
            if old <= new:
                name = f"good/{old}-to-{new}.consistency-proof"
                yield Vector(name, "consistency", consistent(old, new))


Hostile = tuple[str, str, bytes, str]


def _checkpoints() -> Iterator[Hostile]:
    whole = checkpoint(7).whole
    line = whole.rpartition(b"\n\n")[2].decode()
    forged = signed(text(8)).rpartition(b"\n\n")[2]
    other_bits = b64(root(7))[:-2] + chr(ord(b64(root(7))[-2]) + 1) + "="
    for name, content, why in (
        ("other-key", signed(text(), secret=OTHER_KEY), "signed by another key"),
        ("other-name", signed(text(), name=OTHER_ORIGIN), "signed under another name"),
        ("size-altered", whole.replace(b"\n7\n", b"\n6\n"), "another size than was signed"),
        ("root-altered", text(7, b64(root(6))).encode() + b"\n" + line.encode(), "another root"),
        ("origin-altered", whole.replace(ORIGIN.encode(), OTHER_ORIGIN.encode()), "another log"),
        ("line-added", whole.replace(b"\n\n", b"\nmore\n\n"), "a line that was not signed"),
        ("cut", whole[: len(whole) // 2], "cut off in the middle"),
        ("cut-signature", signed(text())[:-10] + b"\n", "a signature cut short"),
        ("no-end", whole[:-1], "the last line has no end"),
        ("longer", whole + b"more\n", "something behind the signatures"),
        ("two", whole + whole, "two checkpoints"),
        ("no-signature", text().encode() + b"\n", "nobody signed it"),
        ("empty", b"", "nothing at all"),
        ("no-text", b"\n\n" + line.encode(), "signatures of nothing"),
        ("forged-beside", whole + forged, "a second signature of the key that is not of the text"),
        ("crlf", whole.replace(b"\n", b"\r\n"), "lines that end otherwise"),
        ("tab", signed(text().replace("/", "\t", 1)), "a control character"),
        ("no-utf-8", whole.replace(b"serverdomain", b"server\xffomain"), "no UTF-8"),
        ("hyphen", whole.replace("—".encode(), b"-"), "a hyphen in place of the em dash"),
        ("two-spaces", whole.replace("— ".encode(), "—  ".encode()), "two spaces"),
        ("size-zero-before", signed(text("07")), "a size with a leading zero"),
        ("size-plus", signed(text("+7")), "a size with a sign"),
        ("size-negative", signed(text("-7")), "a size below zero"),
        ("size-hex", signed(text("0x7")), "a size that is not decimal"),
        ("size-other-digits", signed(text("\u0667")), "digits that are not ASCII"),
        ("size-empty", signed(text("")), "no size"),
        ("root-short", signed(text(7, b64(root(7)[:31]))), "a root of 31 bytes"),
        ("root-long", signed(text(7, b64(root(7) + b"x"))), "a root of 33 bytes"),
        ("root-bits", signed(text(7, other_bits)), "base64 that is not canonical: other bits"),
        ("root-unpadded", signed(text(7, b64(root(7)).rstrip("="))), "base64 without padding"),
        ("root-hex", signed(text(7, root(7).hex())), "a root in hex"),
        ("root-space", signed(text(7, b64(root(7)) + " ")), "a space behind the root"),
        ("two-lines", signed(f"{ORIGIN}\n7\n"), "no root"),
        ("empty-line", signed(text() + "\nmore\n"), "an empty line in the text"),
    ):
        yield f"{name}.checkpoint", "checkpoint", content, why


def _inclusions() -> Iterator[Hostile]:
    good = included()
    path = merkle.Levels(RUN, 7).inclusion(4)
    node = HASHES[4] + HASHES[5]
    other = b"".join(merkle.leaf_hash(leaf(event(position, user_id="x"))) for position in range(9))
    long_form = LEAVES[4].replace(b"\xdc\x00\x13\x01\x05", b"\xdc\x00\x13\x01\xcc\x05")
    for name, content, why in (
        ("other-key", included(under=checkpoint(7, secret=OTHER_KEY)), "signed by another key"),
        ("other-tree", included(under=checkpoint(7, other)), "the proof of another tree"),
        (
            "other-path",
            included(path=merkle.Levels(other, 7).inclusion(4)),
            "hashes of another tree",
        ),
        ("other-leaf", included(one=LEAVES[3]), "another leaf"),
        ("other-index", included(said=5), "another index"),
        ("index-of-size", included(said=7), "an index that is not below the size"),
        ("index-huge", included(said=2**63), "an index that no tree has"),
        ("wrong-size", included(under=checkpoint(6)), "a checkpoint of another size"),
        ("no-leaves", included(0, 1, under=checkpoint(0)), "in a tree without leaves"),
        (
            "no-leaves-root",
            included(0, 1, under=Checkpoint.read(signed(text(0, b64(root(1)))))),
            "in a tree without leaves that claims a root",
        ),
        ("truncated", included(path=path[:-1]), "a hash too few"),
        ("longer", included(path=[*path, root(7)]), "a hash too many"),
        ("longer-before", included(path=[HASHES[0], *path]), "a hash too many, before the others"),
        ("swapped", included(path=path[::-1]), "hashes in another order"),
        ("node-as-leaf", included(4, one=node, said=2, path=path[1:]), "a node shown as a leaf"),
        (
            "node-as-leaf-small",
            included(one=node, said=2, path=path[1:], under=checkpoint(4)),
            "a node shown as a leaf of a smaller tree",
        ),
        ("leaf-as-node", included(one=HASHES[4]), "a leaf's hash shown as a leaf"),
        ("64-hashes", included(path=[HASHES[0]] * 64), "more hashes than any tree has levels"),
        (
            "leaf-bits",
            _other_bits(_alone(leaf(event(5, user_id="faked"))), "extra "),
            "a leaf in base64 that is not canonical",
        ),
        ("leaf-longer", _alone(LEAVES[4] + b"\x00"), "bytes behind the leaf, signed"),
        ("leaf-long-form", _alone(long_form), "a leaf with a number in a longer form, signed"),
        (
            "leaf-version-2",
            _alone(LEAVES[4].replace(b"\x13\x01", b"\x13\x02", 1)),
            "another version",
        ),
        (
            "leaf-of-17",
            _alone(msgspec.msgpack.encode((1, *event(1)[:17]))),
            "a leaf with a field too few, signed",
        ),
        ("no-leaf", good.replace(good.split(b"\n")[1] + b"\n", b""), "no leaf"),
        ("no-index", good.replace(b"index 4\n", b""), "no index"),
        (
            "index-zero-before",
            good.replace(b"index 4", b"index 04"),
            "an index with a leading zero",
        ),
        ("hash-short", included(path=[path[0][:31], *path[1:]]), "a hash of 31 bytes"),
        ("hash-bits", _other_bits(good, b64(path[0])[:8]), "a hash in base64 not canonical"),
        ("other-form", good.replace(b"@v1", b"@v2"), "a form that is not known"),
        ("crlf", good.replace(b"\n", b"\r\n"), "lines that end otherwise"),
        ("cut", good[: len(good) // 2], "cut off in the middle"),
        ("no-checkpoint", good.split(b"\n\n")[0] + b"\n\n", "no checkpoint"),
        ("checkpoint-altered", good.replace(b"\n7\n", b"\n6\n"), "a checkpoint that was altered"),
        ("behind", good + b"more\n", "something behind the checkpoint"),
    ):
        yield f"{name}.tlog-proof", "inclusion", content, why


def _consistencies() -> Iterator[Hostile]:
    good = consistent()
    path = merkle.consistency(RUN, 3, 7)
    other = b"".join(merkle.leaf_hash(leaf(event(position, user_id="x"))) for position in range(9))
    elsewhere = Checkpoint.read(signed(text(7, origin=OTHER_ORIGIN), name=OTHER_ORIGIN))
    for name, content, why in (
        (
            "old-other-key",
            consistent(under=checkpoint(3, secret=OTHER_KEY)),
            "the older one is not signed",
        ),
        (
            "new-other-key",
            consistent(over=checkpoint(7, secret=OTHER_KEY)),
            "the newer one is not signed",
        ),
        ("two-logs", consistent(over=elsewhere), "checkpoints of two logs"),
        (
            "old-other-tree",
            consistent(under=checkpoint(3, other)),
            "the older one is of another tree",
        ),
        (
            "new-other-tree",
            consistent(over=checkpoint(7, other)),
            "the newer one is of another tree",
        ),
        (
            "backwards",
            consistent(path=path, under=checkpoint(7), over=checkpoint(3)),
            "the newer one first",
        ),
        ("truncated", consistent(path=path[:-1]), "a hash too few"),
        ("longer", consistent(path=[*path, root(7)]), "a hash too many"),
        ("longer-before", consistent(path=[root(2), *path]), "a hash too many, before the others"),
        ("swapped", consistent(path=path[::-1]), "hashes in another order"),
        ("no-path", consistent(path=[]), "no hash at all"),
        (
            "wrong-size",
            consistent(under=Checkpoint.read(signed(text(4, b64(root(3)))))),
            "an older size that is another",
        ),
        ("equal-path", consistent(7, 7, path=[root(7)]), "a hash between equal sizes"),
        (
            "equal-roots",
            consistent(7, 7, under=checkpoint(7, other)),
            "equal sizes, different roots",
        ),
        (
            "from-nothing-path",
            consistent(0, 7, path=[root(7)]),
            "a hash from a tree without leaves",
        ),
        (
            "from-nothing-root",
            consistent(0, 7, under=Checkpoint.read(signed(text(0, b64(root(1)))))),
            "a tree without leaves that claims a root",
        ),
        ("64-hashes", consistent(path=[HASHES[0]] * 64), "more hashes than any tree has levels"),
        ("hash-bits", _other_bits(good, b64(path[0])[:8]), "a hash in base64 not canonical"),
        ("hash-short", consistent(path=[path[0][:31], *path[1:]]), "a hash of 31 bytes"),
        ("other-form", good.replace(b"@v1", b"@v2"), "a form that is not known"),
        ("one-checkpoint", b"\n\n".join(good.split(b"\n\n")[:3]) + b"\n", "one checkpoint alone"),
        ("crlf", good.replace(b"\n", b"\r\n"), "lines that end otherwise"),
        ("cut", good[: len(good) // 2], "cut off in the middle"),
        ("behind", good + b"more\n", "something behind the checkpoints"),
    ):
        yield f"{name}.consistency-proof", "consistency", content, why


def _alone(one: bytes) -> bytes:
    """A leaf that is the whole tree, honestly signed and proved."""
    run = merkle.leaf_hash(one)
    return proof.inclusion(one, 0, [], checkpoint(1, run))


def _other_bits(content: bytes, begin: str) -> bytes:
    """The same bytes in another base64: unused bits of the last digit are set."""
    lines = content.decode().split("\n")
    (number,) = [at for at, line in enumerate(lines) if line.startswith(begin)]
    line = lines[number].rstrip("=")
    assert line != lines[number], "it must end in padding"
    lines[number] = line[:-1] + chr(ord(line[-1]) + 1) + lines[number][len(line) :]
    return "\n".join(lines).encode()


def files() -> Iterator[tuple[str, bytes]]:
    """Every file of the vectors but the trees', whose values were published by others."""
    yield "key.pub", key().public.pem()
    listed = []
    for vector in vectors():
        yield vector.name, vector.content
        listed.append({"file": vector.name, "kind": vector.kind})
        if vector.why:
            listed[-1]["refused"] = vector.why
    yield "vectors.json", _json(listed)
    leaves = []
    for row in rows():
        found = leaf(row)
        said = {"leaf": found.hex()} if len(found) < 2000 else {}
        values = [shown(one) for one in row]
        leaves.append({"values": values, **said, "hash": merkle.leaf_hash(found).hex()})
    yield "leaves.json", _json(leaves)


def _json(value: Any) -> bytes:
    return "[\n{}\n]\n".format(",\n".join(json.dumps(one) for one in value)).encode()


if __name__ == "__main__":
    for name, content in files():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
