"""What is asked of a call before its route answers, in Nova's order: version, body, project."""

from __future__ import annotations

from starlette.types import Receive

from serverdomain.adapters import compute_json
from serverdomain.adapters.http import microversion, request_ids
from serverdomain.adapters.http.body_limit import ask_announced, read_body
from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.exchange import Exchange
from serverdomain.adapters.http.faults import Fault
from serverdomain.adapters.http.routes import Choices, Place, Route
from serverdomain.domain.actor import Actor
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidBody, ServerdomainError

_WITH_BODY = frozenset({"POST", "PUT"})

Admitted = tuple[Call, "Route | Exception"]
"""A call, and the route that answers it, or why none does."""


async def admit(
    exchange: Exchange,
    receive: Receive,
    place: Place,
    choices: Choices,
    actor: Actor,
    root: str | None,
) -> Admitted:
    """Make a call of a request whose caller is known, and find its route.

    ``root`` is where links begin, if that is not the request's to say.
    """
    headers, content_type = exchange.headers, exchange.headers.get("content-type")
    route = choices.get(None)
    sent, refusal = b"", _key(exchange, actor)
    try:
        if place.api == "v2.1":
            microversion.check(headers)
        if refusal is not None:
            raise refusal
        if root is None:
            root = exchange.root()
        announced = headers.get("content-length")
        ask_announced(announced)
        if exchange.method in _WITH_BODY:
            sent = await read_body(receive, announced)
            route = _asked(route, choices, sent, content_type)
            exchange.route = route.name
        if place.project is not None and place.project != actor.project_id:
            raise Fault(
                400,
                f"Malformed request URL: its project {shown(place.project)} is not the caller's, "
                f"{shown(actor.project_id)}",
            )
    except (Fault, ServerdomainError) as error:
        refusal = error
    call = exchange.call = Call(
        route=exchange.route or "",
        method=exchange.method,
        path=exchange.path,
        query=exchange.query,
        api=place.api,
        project=place.project,
        server_id=place.server_id,
        item=place.item,
        actor=actor,
        request_id=exchange.request_id,
        correlation_id=exchange.correlation_id,
        endpoint=root or "",
        content_type=content_type,
        sent=sent,
        sent_headers=headers,
    )
    if refusal is not None:
        return call, refusal
    assert route is not None
    return call, route


def _key(exchange: Exchange, actor: Actor) -> Fault | ServerdomainError | None:
    """Take the id of the call's key, so that a refusal bears it too; or why the key is none."""
    try:
        key = request_ids.key_of(exchange.headers)
    except ServerdomainError as error:
        return error
    if key is not None:
        exchange.key_sent = True
        exchange.request_id = request_ids.request_id_of(key, actor.project_id)
    return None


def _asked(route: Route | None, choices: Choices, sent: bytes, content_type: str | None) -> Route:
    if route is not None:
        compute_json.read_json(sent, content_type=content_type)
        return route
    action = compute_json.read_action(sent, content_type=content_type)
    if action not in choices:
        known = ", ".join(name for name in choices if name is not None)
        raise InvalidBody("body", f"there is no action {shown(action)}, {known} are allowed")
    return choices[action]
