"""What is no proof is refused by name, before anything in it is believed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from serverdomain import InvalidInput, Unproven
from serverdomain.audit.ledger import check_proof, check_proofs, leaf
from serverdomain.audit.ledger.checkpoint import Checkpoint
from serverdomain.audit.ledger.key import SigningKey
from serverdomain.audit.ledger.proof import INCLUSION, Included, consistency
from tests.audit.ledger.conftest import opened


@pytest.fixture
def proof(folder: Path) -> bytes:
    """The proof of the first event, without words."""
    with opened(folder) as servers:
        return servers.ledger.prove(1, folder / "signed")


def test_a_line_that_is_missing_or_has_no_form_is_named(folder: Path) -> None:
    for lines, says in (
        ([], "no leaf came, a line is allowed"),
        (["index 0"], "no leaf came, a line is allowed"),
        (["extra AA="], "'AA=' came, standard base64 is allowed"),
        (["extra AA=="], "no index came, a line is allowed"),
        (["extra AA==", "index x"], "no index came, a line is allowed"),
        (["extra AA==", "index 01"], "no index came, a line is allowed"),
        (["extra AA==", "index 0", "!"], "'!' came, standard base64 is allowed"),
        (["extra AA==", "index 0", "AA=="], "a hash of 1 bytes came, 32 are allowed"),
    ):
        head = "\n".join([INCLUSION, *lines, "", ""]).encode()
        with pytest.raises(InvalidInput, match=f"^proof: {says}"):
            check_proof(head + (folder / "signed").read_bytes(), [folder / "key.pub"])


def test_what_is_no_proof_at_all_is_told_with_what_is_allowed(folder: Path) -> None:
    signed = (folder / "signed").read_bytes()
    for given, says in (
        (b"\xff", "bytes came that are no text"),
        (b"", "'' came with 0 parts behind it"),
        (signed, "came with 1 parts behind it"),
        (f"{INCLUSION}\n\n".encode() + signed + b"\n" + signed, "came with 4 parts behind it"),
        (b"x" * 200, f"'{'x' * 100}' came with 0 parts"),
    ):
        with pytest.raises(InvalidInput, match=r"^proof: ") as refused:
            check_proof(given, [folder / "key.pub"])
        assert says in str(refused.value)


def test_a_proof_that_leads_elsewhere_says_of_which_index_and_log(
    folder: Path, proof: bytes
) -> None:
    origin = Checkpoint.read_file(folder / "signed").origin
    with pytest.raises(Unproven, match=f"index 1 does not lead to the root that {origin} signed"):
        check_proof(proof.replace(b"index 0", b"index 1"), [folder / "key.pub"])


def test_a_checkpoint_in_a_proof_that_has_no_form_is_told_of_the_proof(
    folder: Path, proof: bytes
) -> None:
    signed = Checkpoint.read_file(folder / "signed")
    both = consistency([], signed, signed)
    first = both.replace(b"\n65\n", b"\n6.5\n", 1)
    second = both[: -len(signed.whole)] + signed.whole.replace(b"\n65\n", b"\n6.5\n")
    for given in (proof.replace(b"\n65\n", b"\n6.5\n"), first, second):
        with pytest.raises(InvalidInput, match=r"^proof: size '6.5' came"):
            check_proof(given, [folder / "key.pub"])


def test_two_checkpoints_that_do_not_belong_together_are_told_by_logs_or_sizes(
    folder: Path,
) -> None:
    signed = Checkpoint.read_file(folder / "signed")
    key, _ = SigningKey.read_or_make(folder / "key")
    another = Checkpoint.sign("another", 66, signed.root, key)
    with pytest.raises(Unproven, match=f"are of two logs, {signed.origin} and another"):
        check_proof(consistency([], signed, another), [folder / "key.pub"])
    later = Checkpoint.sign(signed.origin, 66, signed.root, key)
    with pytest.raises(Unproven, match="from the root of 65 events to that of 66"):
        check_proof(consistency([], signed, later), [folder / "key.pub"])


def test_the_words_lose_what_marks_them_and_nothing_else(folder: Path, proof: bytes) -> None:
    included = check_proof(b"# issue #7 #\n#none\n" + proof, [folder / "key.pub"])
    assert isinstance(included, Included)
    assert included.said == ("issue #7 #", "none")


def test_of_many_proofs_each_is_read_apart_whatever_words_stand_before(
    folder: Path, proof: bytes
) -> None:
    for given, count in (
        (proof, 1),
        (proof + proof, 2),
        (proof + b"# said\n# more\n" + proof + b"#\n" + proof, 3),
        (b"# said\n" + proof + b"# more\n" + proof, 2),
    ):
        assert len(check_proofs(given, [folder / "key.pub"])) == count
    with pytest.raises(InvalidInput, match=r"^proof: "):
        check_proofs(b"", [folder / "key.pub"])


def test_a_leaf_has_one_form() -> None:
    row = (1, "id", 1, *(None for _ in leaf.FIELDS[3:]))
    whole = leaf.encoded(row)
    assert leaf.decoded(whole) == dict(zip(leaf.FIELDS, row, strict=True))
    encode = msgspec.msgpack.encode
    for wrong in (
        b"",
        b"\xc1",
        b"\xff",
        whole[:-1],
        whole + b"\xc0",
        encode([leaf.VERSION + 1, *row]),
        encode([leaf.VERSION, *row[:-1]]),
        encode([leaf.VERSION, *row, None]),
        encode([leaf.VERSION]),
        encode([]),
        encode({}),
        # The same values, the first one not in its shortest form.
        whole.replace(b"\x01\x01\xa2id", b"\x01\xcc\x01\xa2id"),
    ):
        assert wrong != whole
        with pytest.raises(InvalidInput, match=r"^leaf: .* is allowed$"):
            leaf.decoded(wrong)


def test_a_text_that_is_no_utf8_is_read_from_no_leaf() -> None:
    row = ("\udcff", *(None for _ in leaf.FIELDS[1:]))
    with pytest.raises(InvalidInput, match=r"^leaf: "):
        leaf.decoded(leaf.encoded(row))
