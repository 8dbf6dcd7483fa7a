"""Which id is whose: a call's own, a client's key, a client's global id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import NAMESPACE_URL, uuid5

from serverdomain.domain import limits
from serverdomain.errors import InvalidInput

KEY = "idempotency-key"
GLOBAL = "x-openstack-request-id"

ID_HEADERS = (b"x-compute-request-id", b"x-openstack-request-id")
"""The headers of every answer that bear the call's own id."""

_KEY = re.compile(r"[ -~]{0,254}[!-~]")
_ESCAPED = re.compile(r'\\(["\\])')


def key_of(headers: Mapping[str, str]) -> str | None:
    """The client's ``Idempotency-Key``; ``"k"`` and a bare ``k`` are one. Raises `InvalidInput`."""
    given = headers.get(KEY)
    if given is None:
        return None
    key = given.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = _ESCAPED.sub(r"\1", key[1:-1])
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            "Idempotency-Key",
            f"{limits.shown(key)} came, 1 to 255 printable ASCII characters are allowed",
        )
    return key


def request_id_of(key: str, project_id: str) -> str:
    """The request id of all calls that one project makes under a key."""
    return f"req-{uuid5(NAMESPACE_URL, f'serverdomain:{project_id}:{key}')}"


def correlation_id_of(headers: Mapping[str, str]) -> str | None:
    """A client's global request id; a malformed one is overlooked, as Nova does."""
    given = headers.get(GLOBAL)
    if given is None:
        return None
    try:
        return limits.request_id(GLOBAL, given)
    except InvalidInput:
        return None
