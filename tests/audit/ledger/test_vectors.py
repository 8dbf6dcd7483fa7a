"""Each test vector is judged alike by the library and by the verifier that somebody else wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serverdomain import InvalidInput, Unproven
from serverdomain.audit.ledger import check_proof, leaf, merkle
from serverdomain.audit.ledger.checkpoint import Checkpoint
from serverdomain.audit.ledger.key import PublicKey
from tests.audit.ledger import independent, vectors
from tests.audit.ledger.vectors import FOLDER

KEY = FOLDER / "key.pub"
LISTED: list[dict[str, Any]] = json.loads((FOLDER / "vectors.json").read_text("utf-8"))
LEAVES: list[dict[str, Any]] = json.loads((FOLDER / "leaves.json").read_text("utf-8"))

THEIRS = {
    "checkpoint": independent.signed,
    "inclusion": independent.included,
    "consistency": independent.consistent,
}


def ours(kind: str, content: bytes) -> None:
    if kind == "checkpoint":
        Checkpoint.read(content).ask_signed([PublicKey.read(KEY)])
    else:
        check_proof(content, [KEY])


def test_there_are_good_and_hostile_ones_of_each_kind() -> None:
    for kind in THEIRS:
        hostile = [one for one in LISTED if one["kind"] == kind and "refused" in one]
        assert len(hostile) >= 20
        assert any(one["kind"] == kind and "refused" not in one for one in LISTED)


@pytest.mark.parametrize("vector", LISTED, ids=lambda one: one["file"])
def test_a_vector_is_taken_or_refused(vector: dict[str, Any]) -> None:
    content = (FOLDER / vector["file"]).read_bytes()
    if "refused" not in vector:
        ours(vector["kind"], content)
        THEIRS[vector["kind"]](content, KEY.read_bytes())
        return
    with pytest.raises((InvalidInput, Unproven)) as refused:
        ours(vector["kind"], content)
    assert str(refused.value).isprintable()
    with pytest.raises(ValueError):  # noqa: PT011 - it says no more
        THEIRS[vector["kind"]](content, KEY.read_bytes())


@pytest.mark.parametrize("vector", LEAVES, ids=lambda one: one["hash"][:8])
def test_a_leaf_is_made_of_its_values(vector: dict[str, Any]) -> None:
    values = [as_stored(one) for one in vector["values"]]
    made = leaf.encoded((leaf.VERSION, *values))
    assert made == independent.leaf(values)
    assert merkle.leaf_hash(made).hex() == vector["hash"]
    assert leaf.hashed([(leaf.VERSION, *values)]) == merkle.leaf_hash(made)
    assert vector.get("leaf", made.hex()) == made.hex()
    if not any("\udc80" <= one <= "\udcff" for value in values for one in str(value)):
        assert list(leaf.decoded(made).values()) == values


def test_the_files_are_those_that_are_made() -> None:
    made = dict(vectors.files())
    there = {
        str(path.relative_to(FOLDER)): path.read_bytes()
        for path in FOLDER.rglob("*")
        if path.is_file() and path.name != "trees.json"
    }
    assert there == made


def as_stored(one: Any) -> Any:
    match one:
        case {"bytes": content}:
            return bytes.fromhex(content) * one.get("times", 1)
        case {"text": content}:
            text = bytes.fromhex(content).decode("utf-8", "surrogateescape")
            return text * one.get("times", 1)
        case {"float": number}:
            return float.fromhex(number)
    return one
