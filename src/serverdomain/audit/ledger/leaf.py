"""A leaf: an event and its command as bytes, the same from every store, and back.

MessagePack, each value in its shortest form, so that one row has one encoding and two rows never
share one. docs/ledger-spec.md says it byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from serverdomain.audit.ledger.merkle import leaf_hash
from serverdomain.errors import InvalidInput

VERSION = 1
"""The first value of a leaf; one with other fields would have another."""

FIELDS = (
    "position",
    "originator_id",
    "originator_version",
    "topic",
    "state",
    "command_id",
    "kind",
    "server_id",
    "members",
    "user_id",
    "project_id",
    "roles",
    "request_id",
    "correlation_id",
    "caused_by",
    "occurred_at",
    "recorded_at",
    "refused",
)
"""What stands behind the version: the columns of ``stored_events``, then those of ``commands``."""

Row = tuple[Any, ...]
"""A value for each of `FIELDS`; text that is no UTF-8 as surrogate escapes."""

# 0xdc: an array, of so many values in two bytes. A row alone begins with three bytes like these.
_BEFORE_POSITION = b"\xdc" + (1 + len(FIELDS)).to_bytes(2, "big") + bytes([VERSION])
_OF_ROW = 3

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Any, ...]).decode


def encoded(row: Row) -> bytes:
    """The bytes of a leaf."""
    try:
        return _BEFORE_POSITION + _encode(row)[_OF_ROW:]
    except UnicodeEncodeError:
        return b"".join((_BEFORE_POSITION, *map(_encoded_value, row)))


def hashed(rows: Sequence[Row]) -> bytes:
    """The leaf hashes of rows, as a run."""
    try:
        before = b"\x00" + _BEFORE_POSITION
        return b"".join([sha256(before + _encode(row)[_OF_ROW:]).digest() for row in rows])
    except UnicodeEncodeError:
        return b"".join([leaf_hash(encoded(row)) for row in rows])


def hashed_at(row: Row) -> Callable[[int], bytes]:
    """The leaf hash that a row would have at another position."""
    leaf = encoded(row)
    before = b"\x00" + _BEFORE_POSITION
    behind = leaf[len(_BEFORE_POSITION) + len(_encode(row[0])) :]
    return lambda position: sha256(before + _encode(position) + behind).digest()


def decoded(leaf: bytes) -> dict[str, Any]:
    """What a leaf says, by the names of its fields. Raises `InvalidInput` for what is none."""
    try:
        _, *row = _decode(leaf)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        raise InvalidInput("leaf", "bytes came that are no leaf, MessagePack is allowed") from None
    # A leaf begins with its version and the number of its values, so these are asked, too.
    if encoded(tuple(row)) != leaf:
        raise InvalidInput(
            "leaf",
            f"other bytes came, a leaf of version {VERSION} with {len(FIELDS)} fields is allowed",
        )
    return dict(zip(FIELDS, row, strict=True))


def _encoded_value(value: object) -> bytes:
    if not isinstance(value, str):
        return _encode(value)
    text = value.encode("utf-8", "surrogateescape")
    # As long, and msgspec's own: only the text behind the length differs.
    stand_in = _encode("x" * len(text))
    return stand_in[: len(stand_in) - len(text)] + text
