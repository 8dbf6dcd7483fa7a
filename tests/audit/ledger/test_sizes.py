"""How large what is given to a ledger may be; one more is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from serverdomain import InvalidInput, Unproven
from serverdomain.audit.ledger import locate, note, proof
from serverdomain.audit.ledger.checkpoint import Checkpoint
from serverdomain.audit.ledger.key import PublicKey, SigningKey


def test_a_note_bears_64_signatures_and_no_more(tmp_path: Path) -> None:
    key, _ = SigningKey.read_or_make(tmp_path / "key")
    signed = note.signed("text\n", "name", key)
    text, line = signed.rsplit("\n\n", 1)
    for count in (1, note._MOST_SIGNATURES):
        read = note.read(f"{text}\n\n{line * count}".encode(), "note")
        assert len(read.signatures) == count
        read.require_signed("name", [key.public])
    with pytest.raises(InvalidInput, match="65 signatures came, 64 are allowed"):
        note.read(f"{text}\n\n{line * 65}".encode(), "note")


def test_no_more_is_read_of_a_key_or_a_checkpoint_than_it_can_have() -> None:
    for read in (PublicKey.read, Checkpoint.read_file):
        with pytest.raises(InvalidInput):
            read("/dev/zero")  # Which never ends.


def test_a_proof_has_as_many_hashes_as_the_largest_log_needs(filled: Path) -> None:
    checkpoint = Checkpoint.read_file(filled / "signed")
    for hashes, refused, says in (
        (63, Unproven, "does not lead to the root"),
        (64, InvalidInput, "^proof: 64 hashes came, 63 are allowed"),
    ):
        given = proof.inclusion(b"leaf", 0, [bytes(32)] * hashes, checkpoint)
        with pytest.raises(refused, match=says):
            proof.check(given, [PublicKey.read(filled / "key.pub")])


def test_of_very_many_places_only_the_nearest_are_tried() -> None:
    tried = list(locate._nearest(range(10 * locate._MOST_TRIES), 500, 100))
    assert len(tried) == 100
    assert set(tried) < set(range(448, 552))
    tries: list[int] = []

    def hashing(position: int) -> Callable[[int], bytes]:
        return lambda was: tries.append(was) or b"another"

    many = range(10, 1010)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locate, "_MOST_TRIES", 300)
        problems, left = locate._reordered({b"gone": 0}, {}, [1, 2, 3], many, hashing)
    assert (problems, left) == ([], [1, 2, 3])
    assert len(tries) <= 303
