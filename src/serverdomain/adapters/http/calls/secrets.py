"""What may be shown of a request or an answer: everything but passwords, tokens and files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

# Spelled correctly or, by a client under test, almost correctly.
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

# Python reads no such number, so a client written in it could not read what holds one.
_UNREADABLE = re.compile(rb"[0-9]{4300}")

HIDDEN = "***"
"""What is shown in place of a secret."""


def hidden_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers, with a caller's credentials hidden."""
    return {name: HIDDEN if name in _HEADERS else value for name, value in headers.items()}


def hidden(body: bytes) -> bytes:
    """A body as it may be kept: its JSON without secrets, or nothing if it may hold one unseen."""
    # Most bodies hold none, and need not be parsed again to know; a backslash may spell one.
    lower = body.lower()
    if b"\\" not in lower and not any(mark in lower for mark in _MARKS):
        return body
    try:
        value = _hidden(msgspec.json.decode(body))
        return msgspec.json.encode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return b""


def as_it_stands(body: bytes) -> msgspec.Raw | None:
    """The JSON of a body that was `hidden`, to be written again; ``None`` if it is no JSON.

    Nothing is made of it: a body that is all brackets and commas weighs thirty times as much then.
    """
    try:
        body.decode()
        found = msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if _UNREADABLE.search(body) else found


def without_secrets(body: bytes) -> Any:
    """The JSON value of a body with its secrets hidden; ``None`` if it is no JSON."""
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
