"""What of a request or an answer may be shown: all but passwords, tokens and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_MEMBERS = frozenset({"adminPass", "contents", "user_data"})
_MARKS = (*(name.encode() for name in sorted(_MEMBERS)), b"\\")
_HEADERS = frozenset({"x-auth-token", "authorization", "cookie", "proxy-authorization"})

HIDDEN = "***"
"""What stands in the place of a secret."""


def hidden_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers, with those that prove who somebody is hidden."""
    return {name: HIDDEN if name in _HEADERS else value for name, value in headers.items()}


def hidden(body: bytes) -> bytes:
    """A body to be kept: its JSON with secrets hidden, and nothing of one that may hold others."""
    # Nearly none has any, and is not to be read once more for it; a backslash may spell one.
    if not any(mark in body for mark in _MARKS):
        return body
    try:
        value = _hidden(msgspec.json.decode(body))
        return msgspec.json.encode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return b""


def without_secrets(body: bytes) -> Any:
    """The JSON value of a body with its secrets hidden; ``None`` where it is none."""
    try:
        return _hidden(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: HIDDEN if name in _MEMBERS else _hidden(member) for name, member in value.items()
        }
    return [_hidden(one) for one in value] if isinstance(value, list) else value
