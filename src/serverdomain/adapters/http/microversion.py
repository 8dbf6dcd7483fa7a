"""The one microversion that `/v2.1` serves; `/v2` knows of none."""

from __future__ import annotations

import re
from collections.abc import Mapping

from serverdomain.adapters.http.faults import Fault
from serverdomain.domain.limits import shown

SERVED = "2.1"

HEADERS = (
    (b"openstack-api-version", b"compute 2.1"),
    (b"x-openstack-nova-api-version", b"2.1"),
    (b"vary", b"OpenStack-API-Version, X-OpenStack-Nova-API-Version"),
)
"""What every answer on `/v2.1` says."""

_NEWER = "openstack-api-version"
_OLDER = "x-openstack-nova-api-version"
_FORM = re.compile(r"[1-9]\d*\.(0|[1-9]\d*)", re.ASCII)


def check(headers: Mapping[str, str]) -> None:
    """Ask that the microversion asked for, if any, is the one served; else 406, or 400."""
    asked = _asked(headers)
    if asked in (None, "latest", SERVED):
        return
    assert asked is not None
    if not _FORM.fullmatch(asked):
        raise Fault(400, f"API version: {shown(asked)} came, {SERVED} or latest is allowed")
    raise Fault(
        406,
        f"Version {shown(asked)[1:-1]} is not supported by the API. "
        f"Minimum is {SERVED} and maximum is {SERVED}.",
    )


def _asked(headers: Mapping[str, str]) -> str | None:
    for part in headers.get(_NEWER, "").split(","):
        service, _, version = part.strip().partition(" ")
        if service.lower() == "compute":
            return version.strip().lower()
    older = headers.get(_OLDER)
    return None if older is None else older.strip().lower()
