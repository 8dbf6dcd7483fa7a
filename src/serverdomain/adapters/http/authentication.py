"""Who is calling: a hook, and what ships with it for a machine of one's own (`NoAuthentication`).

A hook is called with the request, whose ``path_params["project"]`` is the project that the path
names, or ``None``, and gives the `Actor`, or ``None`` for a 401. It may be a coroutine function.
Its ``guard``, if it has one, is asked about requests for documents, which need no caller.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache

from starlette.requests import Request

from serverdomain.adapters.http.faults import Fault
from serverdomain.domain.actor import Actor
from serverdomain.domain.limits import shown

Authenticate = Callable[[Request], "Actor | Awaitable[Actor | None] | None"]

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(:\d{1,5})?", re.ASCII | re.IGNORECASE)


def not_authenticated() -> Fault:
    """The answer to somebody whom nobody knows."""
    return Fault(
        401, "The request you have made requires authentication.", www_authenticate="Keystone"
    )


class NoAuthentication:
    """Everybody on this machine is believed: the path's project is the caller's.

    A path without one means ``project``; the caller is an administrator only if ``admin``. A
    ``Host`` that is not this machine, and an ``Origin`` that is not the endpoint itself, is 403:
    else any web page could act here through its reader's browser.
    """

    anybody_controls = True
    """Whether ``/control`` is for all callers, and not for administrators alone."""

    def __init__(self, project: str = "openstack", *, admin: bool = False) -> None:
        self._project = project
        self._roles = ("reader", "member", "admin") if admin else ("reader", "member")
        self._actor = Actor("user", project, self._roles)

    def __call__(self, request: Request) -> Actor:
        """The actor: user ``user`` of the path's project."""
        self.guard(request.headers)
        project = request.path_params.get("project")
        if project is None or project == self._project:
            return self._actor
        return Actor("user", project, self._roles)

    def guard(self, headers: Mapping[str, str]) -> None:
        """Refuse what a web page from elsewhere may have sent."""
        host, origin = headers.get("host"), headers.get("origin")
        if host is not None and not is_this_machine(host):
            raise Fault(
                403, f"Host: {shown(host)} came, localhost, 127.0.0.0/8 or [::1] is allowed here"
            )
        if origin is None:
            return
        if host is None or origin.partition("://")[2].lower() != host.lower():
            raise Fault(403, f"Origin: {shown(origin)} came, pages of {shown(host)} may ask")


@lru_cache(256)
def is_this_machine(authority: str) -> bool:
    """Whether a ``Host``, with or without a port, can only mean the machine that it arrived at."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return False
    host = match[1].lower().rstrip(".")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
