"""The tree is RFC 6962's: published values, and a second implementation for all others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverdomain.audit.ledger import merkle
from tests.audit.ledger import independent
from tests.audit.ledger.vectors import FOLDER

PUBLISHED: dict[str, Any] = json.loads((FOLDER / "trees.json").read_text("utf-8"))
RUN = b"".join(merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in PUBLISHED["leaves"])


def hashes_of(run: bytes) -> list[bytes]:
    return [run[at : at + 32] for at in range(0, len(run), 32)]


def proof_of(case: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(one) for one in case["proof"]]


def test_a_leaf_and_a_node_are_hashed_as_published() -> None:
    assert merkle.leaf_hash(b"L123456").hex() == (
        "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    )
    assert merkle.node_hash(b"N123", b"N456").hex() == (
        "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )


def test_the_roots_are_the_published_ones() -> None:
    found = [merkle.root_of(RUN, 0, size).hex() for size in range(9)]
    assert found == PUBLISHED["roots"]


@pytest.mark.parametrize("case", PUBLISHED["inclusion"], ids=str)
def test_the_published_inclusion_proofs_are_made_and_hold(case: dict[str, Any]) -> None:
    index, size, path = case["index"], case["size"], proof_of(case)
    assert merkle.Levels(RUN, size).inclusion(index) == path
    leaf = hashes_of(RUN)[index]
    root = merkle.root_from_inclusion(leaf, index, size, path)
    assert root == bytes.fromhex(PUBLISHED["roots"][size])


@pytest.mark.parametrize("case", PUBLISHED["consistency"], ids=str)
def test_the_published_consistency_proofs_are_made_and_hold(case: dict[str, Any]) -> None:
    old, size, path = case["old"], case["size"], proof_of(case)
    assert merkle.consistency(RUN, old, size) == path
    roots = [bytes.fromhex(PUBLISHED["roots"][one]) for one in (old, size)]
    assert merkle.is_consistent(old, roots[0], size, roots[1], path)


def leaves(size: int) -> bytes:
    return b"".join(merkle.leaf_hash(str(number).encode()) for number in range(size))


@settings(max_examples=40)
@given(st.lists(st.integers(0, 40)))
def test_a_tree_may_grow_in_any_steps(steps: list[int]) -> None:
    hashes = hashes_of(leaves(sum(steps)))
    tree = merkle.Tree()
    done = 0
    for step in steps:
        tree.add(b"".join(hashes[done : done + step]))
        done += step
        assert tree.root() == independent.root(hashes[:done])


@settings(max_examples=40)
@given(st.data(), st.integers(1, 200))
def test_every_leaf_of_a_tree_of_any_size_has_a_proof_that_leads_to_its_root(
    data: st.DataObject, size: int
) -> None:
    index = data.draw(st.integers(0, size - 1))
    run = leaves(size)
    path, root = merkle.Levels(run, size).inclusion(index), merkle.root_of(run, 0, size)
    leaf = hashes_of(run)[index]
    assert merkle.root_from_inclusion(leaf, index, size, path) == root
    assert independent.root_by_inclusion(leaf, index, size, path) == root
    assert merkle.root_from_inclusion(leaf, size, size, path) is None
    # At another index, or with other hashes, it leads elsewhere, or nowhere.
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index)) if size > 1 else 1
    assert merkle.root_from_inclusion(leaf, other, size, path) != root
    for wrong in (path[1:], path[:-1], [*path, root], [root, *path]):
        if wrong != path:
            assert merkle.root_from_inclusion(leaf, index, size, wrong) is None


@settings(max_examples=40)
@given(st.data(), st.integers(0, 200))
def test_between_any_two_sizes_there_is_a_proof_that_leads_to_both_roots(
    data: st.DataObject, size: int
) -> None:
    old = data.draw(st.integers(0, size))
    run = leaves(size)
    old_root, root = merkle.root_of(run, 0, old), merkle.root_of(run, 0, size)
    path = merkle.consistency(run, old, size)
    assert merkle.is_consistent(old, old_root, size, root, path)
    if old:
        both = independent.roots_by_consistency(old, size, path, old_root)
        assert both == (old_root, root)
    assert not merkle.is_consistent(old, b"x" * 32, size, root, path)
    assert not merkle.is_consistent(old, old_root, size, b"x" * 32, path) or old == 0
    for wrong in (path[1:], path[:-1], [*path, root], [root, *path]):
        if wrong != path:
            assert not merkle.is_consistent(old, old_root, size, root, wrong)
    if old < size:
        assert not merkle.is_consistent(size, root, old, old_root, path)


def test_small_trees_are_all_proved_as_the_other_implementation_proves_them() -> None:
    for size in range(1, 18):
        run = leaves(size)
        hashes = hashes_of(run)
        for index in range(size):
            path = merkle.Levels(run, size).inclusion(index)
            root = independent.root_by_inclusion(hashes[index], index, size, path)
            assert root == merkle.root_from_inclusion(hashes[index], index, size, path)
        for old in range(1, size + 1):
            path = merkle.consistency(run, old, size)
            old_root = independent.root(hashes[:old])
            assert independent.roots_by_consistency(old, size, path, old_root) == (
                old_root,
                independent.root(hashes),
            )
            assert merkle.is_consistent(old, old_root, size, independent.root(hashes), path)
