"""What of a request or an answer may be shown: all but passwords, tokens and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

# As they are spelled right or, by a client that is being tested, nearly so.
_MEMBERS = frozenset(
    {"adminpass", "adminpassword", "password", "secret", "token", "contents", "userdata"}
)
_MARKS = (b"pass", b"secret", b"token", b"contents", b"user_data", b"userdata", b"user-data")
_HEADERS = frozenset(
    {
        "x-auth-token",
        "x-service-token",
        "x-subject-token",
        "authorization",
        "cookie",
        "proxy-authorization",
    }
)

HIDDEN = "***"
"""What stands in the place of a secret."""


def hidden_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers, with those that prove who somebody is hidden."""
    return {name: HIDDEN if name in _HEADERS else value for name, value in headers.items()}


def hidden(body: bytes) -> bytes:
    """A body to be kept: its JSON with secrets hidden, and nothing of one that may hold others."""
    # Nearly none has any, and is not to be read once more for it; a backslash may spell one.
    lower = body.lower()
    if b"\\" not in lower and not any(mark in lower for mark in _MARKS):
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
            name: HIDDEN if _is_secret(name) else _hidden(member) for name, member in value.items()
        }
    return [_hidden(one) for one in value] if isinstance(value, list) else value


def _is_secret(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "").strip() in _MEMBERS
