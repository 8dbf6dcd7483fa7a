"""What is required of a call before its route answers, in Nova's order: version, body, project."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from serverdomain.adapters import compute_json
from serverdomain.adapters.http.calls.answers import CallFault
from serverdomain.adapters.http.calls.call import KEY, Call
from serverdomain.adapters.http.calls.route import Choices, Route
from serverdomain.domain.actor import Actor
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidBody, ServerdomainError

SERVED = "2.1"
"""The one microversion that `/v2.1` serves; `/v2` knows of none."""

MOST = 112 * 1024
"""The most bytes that a body may have: Nova's limit."""

_NEWER = "openstack-api-version"
_OLDER = "x-openstack-nova-api-version"
_FORM = re.compile(r"[1-9]\d*\.(0|[1-9]\d*)", re.ASCII)
_WITH_BODY = frozenset({"POST", "PUT"})


async def admit(
    call: Call, receive: Receive, choices: Choices, actor: Actor, root: str | None
) -> Route | Exception:
    """Admit a call whose caller is known: the route that answers it, or why none does.

    ``root`` is where links begin, if that is not the request's to say.
    """
    call.actor = actor
    refusal = None
    if KEY in call.sent_headers:
        try:
            call.take_key(actor.project_id)
        except ServerdomainError as error:
            # A wrong version is told before a wrong key.
            refusal = error
    try:
        if call.api == "v2.1":
            require_version(call.sent_headers)
        if refusal is not None:
            raise refusal
        call.endpoint = call.root() if root is None else root
        found: Route | Exception = await _found(call, receive, choices)
    except (CallFault, ServerdomainError) as error:
        found = error
    # A server that is being created is of the caller's project, an administrator's, too.
    is_free = actor.is_admin and call.server_id is not None
    call.within = None if is_free else actor.project_id
    call.admitted = True
    return found


async def _found(call: Call, receive: Receive, choices: Choices) -> Route:
    announced = call.sent_headers.get("content-length")
    route = choices.get(None)
    if call.method in _WITH_BODY:
        call.sent = await read_body(receive, announced)
        content_type = call.sent_headers.get("content-type")
        call.json = compute_json.read_json(call.sent, content_type=content_type)
        if route is None:
            action = call.json.only or compute_json.read_action(call.json)
            if action not in choices:
                known = ", ".join(name for name in choices if name is not None)
                came = shown(action)
                raise InvalidBody("body", f"there is no action {came}, {known} are allowed")
            route = choices[action]
            call.route = route.name
    else:
        require_short(announced)
    assert route is not None
    if call.project is not None and call.project != call.actor.project_id:
        raise CallFault(
            400,
            f"Malformed request URL: its project {shown(call.project)} is not the caller's, "
            f"{shown(call.actor.project_id)}",
        )
    return route


def require_version(headers: Mapping[str, str]) -> None:
    """Raise 406 or 400 unless the microversion that was asked for, if any, is the one served."""
    asked = _version(headers)
    if asked in (None, "latest", SERVED):
        return
    assert asked is not None
    if not _FORM.fullmatch(asked):
        raise CallFault(400, f"API version: {shown(asked)} came, {SERVED} or latest is allowed")
    raise CallFault(
        406,
        f"Version {shown(asked)[1:-1]} is not supported by the API. "
        f"Minimum is {SERVED} and maximum is {SERVED}.",
    )


def _version(headers: Mapping[str, str]) -> str | None:
    for part in headers.get(_NEWER, "").split(","):
        service, _, version = part.strip().partition(" ")
        if service.lower() == "compute":
            return version.strip().lower()
    older = headers.get(_OLDER)
    return None if older is None else older.strip().lower()


async def read_body(receive: Receive, announced: str | None) -> bytes:
    """The body; one that is too long is refused with 413 before the rest of it is read.

    ``announced`` is its ``Content-Length``, if one came. Raises `ClientDisconnect` where the client
    went away.
    """
    require_short(announced)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > MOST:
            raise _too_long(f"more than {MOST} bytes came")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def require_short(announced: str | None) -> None:
    """Raise 413 unless the ``Content-Length``, if one came, is within the limit."""
    if announced is not None and announced.isdecimal() and int(announced[:20]) > MOST:
        raise _too_long(f"{announced[:20]} bytes were announced")


def _too_long(what: str) -> CallFault:
    # What is left unread must not be taken for the next request.
    return CallFault(413, f"body: {what}, at most {MOST} are allowed", connection="close")
