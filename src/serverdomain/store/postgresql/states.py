"""The state of another application's event: bytes, in a column that holds text.

Mostly they are JSON, and stand there as what they are. Other bytes stand there in hex, behind a
sign with which no JSON begins.
"""

from __future__ import annotations

from serverdomain.store.log import Row

_HEX = "\\x"


def as_text(state: str | bytes) -> str:
    """The text for a state; ours is one already."""
    if isinstance(state, str):
        return state
    try:
        text = state.decode()
    except UnicodeDecodeError:
        return _HEX + state.hex()
    return _HEX + state.hex() if "\0" in text or text.startswith(_HEX) else text


def as_bytes(text: str) -> bytes:
    """The state that stands there as this text."""
    return bytes.fromhex(text[len(_HEX) :]) if text.startswith(_HEX) else text.encode()


def as_given(row: Row) -> Row:
    """A row of `Reading.rows` with the state that was given, if it is another application's."""
    return row if row[5] is not None else (*row[:4], as_bytes(row[4]), *row[5:])
