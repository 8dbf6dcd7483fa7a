"""Each test vector is judged alike by the library and by the verifier that somebody else wrote."""

from __future__ import annotations

import json
import random
from contextlib import suppress
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
        Checkpoint.read(content).require_signed([PublicKey.read(KEY)])
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
    made = leaf.encoded(tuple(values))
    assert made == independent.leaf(values)
    assert merkle.leaf_hash(made).hex() == vector["hash"]
    assert leaf.hashed([tuple(values)]) == merkle.leaf_hash(made)
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


def test_of_a_text_that_was_changed_at_random_nothing_new_is_believed() -> None:
    """Only a signature of somebody unknown may change, or go."""
    good = [path.read_bytes() for path in sorted(FOLDER.glob("good/*"))]
    true = {Checkpoint.read(one)[:3] for one in good if one.startswith(b"serverdomain/e1cb")}
    keys = [PublicKey.read(KEY)]
    chance = random.Random(2012)
    for _ in range(1500):
        text = bytearray(chance.choice(good))
        at = chance.randrange(len(text))
        match chance.randrange(4):
            case 0:
                text[at] = chance.randrange(256)
            case 1:
                text[at:at] = bytes([chance.choice(b"\n\r\t\0 +=-0A\xff")])
            case 2:
                del text[at : at + chance.randrange(1, 9)]
            case _:
                text[at:at] = text[: chance.randrange(60)]
        content = bytes(text)
        with suppress(InvalidInput, Unproven):
            read = Checkpoint.read(content)
            read.require_signed(keys)
            assert read[:3] in true
        with suppress(InvalidInput, Unproven):
            check_proof(content, [KEY])
            assert content in good


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
