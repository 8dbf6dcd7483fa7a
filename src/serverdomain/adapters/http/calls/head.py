"""The fields of a request's head, where one may stand on several lines."""

from __future__ import annotations

from collections.abc import Iterable

from serverdomain.adapters.http.calls.answers import CallFault

_SINGLE = frozenset(
    {
        "authorization",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "origin",
        "x-auth-token",
        "x-openstack-nova-api-version",
    }
)
"""Fields that say one thing: on several lines they may not differ."""

Lines = Iterable[tuple[bytes, bytes]]


def fields(lines: Lines) -> dict[str, str]:
    """The fields by their lower-case names; several lines of one are one list (RFC 9110, 5.3).

    Of one that says one thing the first line counts.
    """
    found: dict[str, str] = {}
    for name, value in lines:
        field, content = name.decode("latin-1"), value.decode("latin-1")
        if field not in found:
            found[field] = content
        elif field not in _SINGLE:
            found[field] = f"{found[field]}, {content}"
    return found


def require_single(lines: Lines) -> None:
    """Raise a 400 where a field that says one thing came on several lines that differ.

    ``Host`` may come but once, even the same (RFC 9112, 3.2).
    """
    first: dict[bytes, bytes] = {}
    for name, value in lines:
        if name not in first:
            first[name] = value
            continue
        field = name.decode("latin-1")
        if field == "host" or (field in _SINGLE and value != first[name]):
            allowed = "one is allowed" if field == "host" else "one, or the same again, is allowed"
            raise CallFault(400, f"{field}: it came on several lines, {allowed}")
