"""Who is calling: a hook, and the one that ships, for a machine of one's own."""

from __future__ import annotations

import inspect
import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Protocol, runtime_checkable

from starlette.requests import Request
from starlette.types import Scope

from serverdomain.adapters.http.calls.answers import CallFault
from serverdomain.domain.actor import Actor
from serverdomain.domain.limits import shown
from serverdomain.domain.typed import typed

Asked = Actor | None | Awaitable[Actor | None]

Authenticate = Callable[[Request], Asked]
"""Says who is calling: called with the request, it gives the `Actor`, or ``None`` for a 401.

The request's ``path_params["project"]`` is the project that the path names, or ``None``. It may be
a coroutine function. It may also be a `Guard` and an `OpensControl`.
"""


@runtime_checkable
class Guard(Protocol):
    """An `Authenticate` that is also asked about requests for documents, which need no caller."""

    def __call__(self, request: Request, /) -> Asked:
        """Say who is calling."""

    def guard(self, headers: Mapping[str, str], /) -> None:
        """Raise unless a request with these headers may be answered."""


@runtime_checkable
class OpensControl(Protocol):
    """An `Authenticate` that says who may use ``/control``; without it administrators alone may."""

    @property
    def anybody_controls(self) -> bool:
        """Whether every caller may."""

    def __call__(self, request: Request, /) -> Asked:
        """Say who is calling."""


_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(:\d{1,5})?", re.ASCII | re.IGNORECASE)


async def caller(authenticate: Authenticate, scope: Scope, project: str | None) -> Actor:
    """Who makes the request, on a path that names ``project``. Raises a 401 for nobody known."""
    scope["path_params"] = {"project": project}
    actor = authenticate(Request(scope))
    # Most hooks are no coroutines, and it takes longer to find out whether one is.
    if not isinstance(actor, Actor) and inspect.isawaitable(actor):
        actor = await actor
    if actor is None:
        raise CallFault(
            401, "The request you have made requires authentication.", www_authenticate="Keystone"
        )
    return actor


class NoAuthentication:
    """Believes everybody on this machine: the caller's project is the path's.

    A path without one means ``project``; the caller is an administrator only if ``admin``. A
    ``Host`` that is not this machine, or an ``Origin`` that is not the endpoint itself, is refused
    with 403: otherwise any web page could act here through its reader's browser.
    """

    anybody_controls = True
    """Whether ``/control`` is for all callers, and not for administrators alone."""

    @typed
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
            raise CallFault(
                403, f"Host: {shown(host)} came, localhost, 127.0.0.0/8 or [::1] is allowed here"
            )
        if origin is None:
            return
        if host is None or origin.partition("://")[2].lower() != host.lower():
            raise CallFault(403, f"Origin: {shown(origin)} came, pages of {shown(host)} may ask")


LONGEST = 255
"""The longest ``Host`` that is looked at, in characters."""


def is_this_machine(authority: str) -> bool:
    """Whether a ``Host``, with or without a port, can only mean the machine that it arrived at."""
    return len(authority) <= LONGEST and _is_this_machine(authority)


@lru_cache(256)
def _is_this_machine(authority: str) -> bool:
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
