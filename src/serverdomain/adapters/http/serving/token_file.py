"""`--auth token-file`: tokens and their bearers, in a JSON file that only its owner may read.

``{TOKEN: {"user": …, "project": …, "roles": ["reader" | "member" | "admin"]}}``
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request

from serverdomain.domain.actor import Actor
from serverdomain.domain.limits import shown
from serverdomain.domain.typed import typed
from serverdomain.errors import InvalidInput

ROLES = ("reader", "member", "admin")

LONGEST = 1024 * 1024
"""The most bytes of the file: every call is compared with all of its tokens."""


class TokenFile:
    """Callers by their ``X-Auth-Token``, compared in constant time.

    Raises `InvalidInput` where the file cannot be used: it names the entry by its number and the
    field, never a token.
    """

    anybody_controls = False

    @typed
    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._actors = _read(self.path)

    def reload(self) -> None:
        """Read the file again; one that cannot be used raises and changes nothing."""
        self._actors = _read(self.path)

    def __call__(self, request: Request) -> Actor | None:
        """The bearer of the request's token."""
        given = _digest(request.headers.get("x-auth-token", "").encode("latin-1"))
        found = None
        # All are compared, so that the time tells nothing of which one was found.
        for digest, actor in self._actors:
            if hmac.compare_digest(digest, given):
                found = actor
        return found


def _read(path: Path) -> list[tuple[bytes, Actor]]:
    field = "token-file"
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise InvalidInput(
                    field,
                    f"{path} has mode {mode:04o}, one that its owner alone may read is allowed",
                )
            content = file.read(LONGEST + 1)
    except OSError as error:
        raise InvalidInput(field, f"{path} cannot be read: {error.strerror}") from None
    if len(content) > LONGEST:
        raise InvalidInput(field, f"{path} has more than {LONGEST} bytes, so many are allowed")
    entries = _entries(content, field)
    del content
    return [
        (_digest(token.encode()), _actor(entry, f"{field}: entry {number}"))
        for number, (token, entry) in enumerate(entries.items(), 1)
    ]


def _entries(content: bytes, field: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None:
        raise InvalidInput(field, "what came is no JSON object, one of tokens is allowed")
    for number, token in enumerate(found, 1):
        if not token or not token.isprintable() or not token.isascii() or " " in token:
            raise InvalidInput(
                field,
                f"the token of entry {number} is empty or no printable ASCII without a space",
            )
    return found


def _actor(entry: object, field: str) -> Actor:
    if not isinstance(entry, dict):
        raise InvalidInput(field, f"{type(entry).__name__} came, an object is allowed")
    unknown = sorted(set(entry) - {"user", "project", "roles"})
    if unknown:
        raise InvalidInput(field, f"{shown(unknown)} came, user, project and roles are allowed")
    roles = entry.get("roles")
    if not isinstance(roles, list) or not roles or not all(role in ROLES for role in roles):
        raise InvalidInput(f"{field}: roles", f"{shown(roles)} came, a list of {ROLES} is allowed")
    for name in ("user", "project"):
        value = entry.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= 255:
            raise InvalidInput(
                f"{field}: {name}", f"{shown(value)} came, text of 1 to 255 characters is allowed"
            )
    return Actor(entry["user"], entry["project"], tuple(roles))


def _digest(token: bytes) -> bytes:
    # Digests have one length, so that not even the length of a token is told.
    return hashlib.sha256(token).digest()
