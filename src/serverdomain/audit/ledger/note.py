"""A signed note (C2SP signed-note): text, an empty line, and lines with signatures of the text.

Form is asked strictly and before anything else: what two programs could read in two ways is
refused.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from serverdomain.errors import InvalidInput, Unproven

if TYPE_CHECKING:
    from serverdomain.audit.ledger.key import PublicKey, SigningKey

_MOST_SIGNATURES = 64
_SIGNATURE = re.compile("\N{EM DASH} ([^\\s+]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")


class Signature(NamedTuple):
    """A line of a note: whose it says that it is, and its bytes."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A note as it was read; ``text`` ends with a newline. Nothing in it is true yet."""

    text: str
    signatures: tuple[Signature, ...]

    def require_signed(self, name: str, keys: Sequence[PublicKey]) -> None:
        """Raise `Unproven` where none of the keys signed it, or one of them did not."""
        known = {key.id_for(name): key for key in keys}
        by_us = [one for one in self.signatures if one.name == name and one.key_id in known]
        if not by_us:
            raise Unproven(f"the checkpoint of {name} bears no signature of the given key")
        for one in by_us:
            if not known[one.key_id].signed(one.signature, self.text.encode()):
                raise Unproven(
                    f"the signature of {name} is none of its text: it was altered, or forged"
                )


def signed(text: str, name: str, key: SigningKey) -> str:
    """A text with its signature."""
    signature = key.public.id_for(name) + key.sign(text.encode())
    return f"{text}\n\N{EM DASH} {name} {b64encode(signature).decode()}\n"


def read(given: bytes, field: str) -> Note:
    """Read a note. Raises `InvalidInput`, which names ``field``, for any other form."""
    try:
        whole = given.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(field, "bytes came that are no text, a signed note is allowed") from None
    if _CONTROL.search(whole):
        raise InvalidInput(field, "a control character came, a signed note is allowed")
    text, empty_line, lines = whole.rpartition("\n\n")
    if not empty_line or not text or not lines.endswith("\n"):
        raise InvalidInput(
            field,
            "no signature came, a signed note is allowed: text, an empty line and signatures, "
            "each line with its end",
        )
    signatures = lines[:-1].split("\n")
    if len(signatures) > _MOST_SIGNATURES:
        raise InvalidInput(
            field, f"{len(signatures)} signatures came, {_MOST_SIGNATURES} are allowed"
        )
    return Note(f"{text}\n", tuple(_signature(line, field) for line in signatures))


def unbase64(given: str, field: str) -> bytes:
    """The bytes of standard base64. Raises `InvalidInput` where another text says the same."""
    try:
        found = b64decode(given, validate=True)
    except ValueError:
        found = b""
    if b64encode(found).decode() != given:
        raise InvalidInput(field, f"{given[:100]!r} came, standard base64 is allowed")
    return found


def _signature(line: str, field: str) -> Signature:
    match = _SIGNATURE.fullmatch(line)
    if match is None:
        raise InvalidInput(
            field, f"{line[:100]!r} came, a signature is allowed: '\N{EM DASH} name base64'"
        )
    found = unbase64(match[2], field)
    if len(found) < 5:
        raise InvalidInput(
            field, f"a signature of {len(found)} bytes came, five or more are allowed"
        )
    return Signature(match[1], found[:4], found[4:])
