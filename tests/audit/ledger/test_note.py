"""A note's form is asked strictly, and what came is told cut short."""

from __future__ import annotations

from base64 import b64encode

import pytest

from serverdomain import InvalidInput
from serverdomain.audit.ledger import note
from serverdomain.audit.ledger.checkpoint import Checkpoint


def line(size: int) -> str:
    return f"\N{EM DASH} name {b64encode(bytes(size)).decode()}\n"


def test_a_text_may_have_empty_lines_and_ends_at_the_last() -> None:
    assert note.read(f"a\n\nb\n\n{line(5)}".encode(), "note").text == "a\n\nb\n"


def test_without_a_text_or_an_empty_line_it_is_no_note() -> None:
    for wrong in (line(5), f"\n\n{line(5)}", f"text\n{line(5)}", f"text\n\n{line(5)[:-1]}"):
        with pytest.raises(InvalidInput, match=r"^note: no signature came"):
            note.read(wrong.encode(), "note")


def test_a_signature_has_five_bytes_or_more() -> None:
    (signature,) = note.read(f"text\n\n{line(5)}".encode(), "note").signatures
    assert (signature.key_id, signature.signature) == (bytes(4), bytes(1))
    with pytest.raises(InvalidInput, match=r"^note: a signature of 4 bytes came"):
        note.read(f"text\n\n{line(4)}".encode(), "note")


def test_of_what_came_a_hundred_characters_are_told() -> None:
    long, told = "9" * 200, f": '{'9' * 100}' came"
    with pytest.raises(InvalidInput, match=told):
        note.read(f"text\n\n{long}\n".encode(), "note")
    with pytest.raises(InvalidInput, match=told):
        note.unbase64(f"{long}!", "note")
    with pytest.raises(InvalidInput, match=f": size '{'9' * 100}' came"):
        Checkpoint.read(f"origin\n{long}\nAA==\n\n{line(5)}".encode())
