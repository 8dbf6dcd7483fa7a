"""RFC 6962's Merkle tree over leaf hashes: roots, proofs, and what a proof leads to.

Many leaf hashes are kept as a *run*: 32 bytes each, one after another. Proofs are made as sections
2.1.1 and 2.1.2 define them, and checked by walking up from a leaf, as docs/ledger-spec.md tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

HASH_SIZE = 32
"""Bytes of a hash."""

_PAIR = 2 * HASH_SIZE
_AT_ONCE = 4096 * HASH_SIZE


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf, from its bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node, from those of its two children."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows to the right. It keeps one hash for each complete part, and no leaf."""

    def __init__(self) -> None:
        self._complete: list[bytes] = []

    def add(self, run: bytes) -> None:
        """Append a run of leaf hashes; long ones are quicker."""
        level = 0
        while run:
            if level == len(self._complete):
                self._complete.append(b"")
            run = self._complete[level] + run
            whole = len(run) // _PAIR * _PAIR
            self._complete[level] = run[whole:]
            # Not `node_hash`: a call for each node would be a quarter of the time.
            run = b"".join(
                [sha256(b"\x01" + run[at : at + _PAIR]).digest() for at in range(0, whole, _PAIR)]
            )
            level += 1

    def root(self) -> bytes:
        """The root over all leaves so far; without a leaf, SHA-256 of nothing."""
        root: bytes | None = None
        for part in self._complete:
            if part:
                root = part if root is None else node_hash(part, root)
        return sha256(b"").digest() if root is None else root


def root_of(run: bytes, first: int, last: int) -> bytes:
    """The root over the leaves of a run from rank ``first`` to before ``last``."""
    tree = Tree()
    end = last * HASH_SIZE
    for begin in range(first * HASH_SIZE, end, _AT_ONCE):
        tree.add(run[begin : min(begin + _AT_ONCE, end)])
    return tree.root()


class Levels:
    """The nodes of the tree over the first ``size`` leaves of a run, level by level.

    Each hash is made once, so that every further proof costs next to nothing.
    """

    def __init__(self, run: bytes, size: int) -> None:
        self._levels = [run[: size * HASH_SIZE]]
        while len(level := self._levels[-1]) > HASH_SIZE:
            whole = len(level) // _PAIR * _PAIR
            pairs = (level[at : at + _PAIR] for at in range(0, whole, _PAIR))
            # A node without a sibling stands for its parent.
            above = b"".join([sha256(b"\x01" + pair).digest() for pair in pairs]) + level[whole:]
            self._levels.append(above)

    def inclusion(self, rank: int) -> list[bytes]:
        """The proof that a leaf is in the tree: PATH of RFC 6962."""
        path = []
        for level in self._levels:
            at = (rank ^ 1) * HASH_SIZE
            if at < len(level):
                path.append(level[at : at + HASH_SIZE])
            rank >>= 1
        return path


def consistency(run: bytes, old: int, size: int) -> list[bytes]:
    """The proof that the tree of ``old`` leaves begins that of ``size``: PROOF of RFC 6962."""
    path: list[bytes] = []
    if not 0 < old < size:
        return path
    first, last, known = 0, size, True
    while last != old:
        middle = first + _left_part(last - first)
        if old <= middle:
            path.append(root_of(run, middle, last))
            last = middle
        else:
            path.append(root_of(run, first, middle))
            first, known = middle, False
    # Whoever checks has the old root, and needs no other hash where all old leaves are one part.
    if not known:
        path.append(root_of(run, first, last))
    return path[::-1]


def root_from_inclusion(leaf: bytes, rank: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf's hash and its proof lead to; ``None`` for a proof of another length."""
    sides = list(_way_up(rank, size - 1))
    if not 0 <= rank < size or len(path) != len(sides):
        return None
    root = leaf
    for sibling, is_left in zip(path, sides, strict=True):
        root = node_hash(sibling, root) if is_left else node_hash(root, sibling)
    return root


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a proof leads to both roots, of trees of ``old`` and of ``size`` leaves."""
    if old > size:
        return False
    if old == size:
        return not path and old_root == root
    if old == 0:
        return not path and old_root == Tree().root()
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    node, last = old - 1, size - 1
    while node % 2:
        node, last = node >> 1, last >> 1
    sides = list(_way_up(node, last))
    if len(hashes) != 1 + len(sides):
        return False
    old_way = way = hashes[0]
    for sibling, is_left in zip(hashes[1:], sides, strict=True):
        if is_left:
            old_way, way = node_hash(sibling, old_way), node_hash(sibling, way)
        else:
            way = node_hash(way, sibling)
    return old_way == old_root and way == root


def _way_up(node: int, last: int) -> Iterator[bool]:
    """Of each sibling from a node up to the root, whether it stands on the left.

    Nodes are counted from 0 on their level, on which the ``last`` is the highest.
    """
    while last > 0:
        is_left = node % 2 == 1 or node == last
        while is_left and node % 2 == 0 and node:
            node, last = node >> 1, last >> 1
        yield is_left
        node, last = node >> 1, last >> 1


def _left_part(size: int) -> int:
    """The largest power of two that is smaller than a size: the leaves of the left child."""
    return 1 << (size - 1).bit_length() - 1
