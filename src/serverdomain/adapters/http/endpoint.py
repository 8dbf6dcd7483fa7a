"""The way of a request: its path, who calls, its ids, its body, and then the route's answer.

Refusals come in Nova's order. Everything that may wait for the store runs in a thread, in one hop;
version documents wait for nobody.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from time import perf_counter
from urllib.parse import quote, unquote_to_bytes

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from serverdomain.adapters import compute_json
from serverdomain.adapters.http import log, microversion, openapi, request_ids, routes, versions
from serverdomain.adapters.http.answers import answer
from serverdomain.adapters.http.authentication import Authenticate, not_authenticated
from serverdomain.adapters.http.body_limit import ask_announced, read_body
from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.cloud import Cloud
from serverdomain.adapters.http.control import DROP, Control, Dropped
from serverdomain.adapters.http.faults import Fault, fault
from serverdomain.adapters.http.machine import Machine
from serverdomain.adapters.http.threads import Threads
from serverdomain.domain.actor import Actor
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidBody, ServerdomainError, StoreError
from serverdomain.store.context import new_request_id

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}", re.ASCII)
_WITH_BODY = frozenset({"POST", "PUT"})


class Exchange:
    """One request on its way, and what became known of it."""

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self.request_id = ""
        self.key_sent = False
        self.route: str | None = None
        self.call: Call | None = None
        self.is_v21 = False


class Endpoint:
    """Answers every request that is not one to ``/control``."""

    def __init__(
        self,
        cloud: Cloud,
        authenticate: Authenticate,
        endpoint: str | None,
        control: Control | None,
        machine: Machine,
    ) -> None:
        self._cloud = cloud
        self._authenticate = authenticate
        self._root = None if endpoint is None else endpoint.rstrip("/")
        self._control = control
        self._machine = machine
        self._threads = Threads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        started = perf_counter()
        exchange = Exchange(scope)
        status = None
        try:
            response = await self._response(exchange, scope, receive)
        except ClientDisconnect:
            pass
        except Dropped:
            await _drop(scope, send)
        else:
            status = response.status_code
            if not exchange.request_id:
                exchange.request_id = new_request_id()
            named = exchange.request_id.encode()
            headers = response.raw_headers
            headers.extend((name, named) for name in request_ids.ID_HEADERS)
            if exchange.is_v21:
                headers.extend(microversion.HEADERS)
            if exchange.method == "HEAD":
                response.body = b""
            await response(scope, receive, send)
        log.answered(
            method=exchange.method,
            path=exchange.path,
            status=status,
            seconds=perf_counter() - started,
            request_id=exchange.request_id,
            route=exchange.route,
            call=exchange.call,
        )

    async def _response(self, exchange: Exchange, scope: Scope, receive: Receive) -> Response:
        try:
            segments = _segments(scope)
            document = self._document(exchange, scope, segments)
            if document is not None:
                return document
            place = routes.find(segments) if segments else None
            if place is None:
                raise Fault(404, "The resource could not be found.")
            exchange.is_v21 = place.api == "v2.1"
            choices = place.methods.get("GET" if exchange.method == "HEAD" else exchange.method)
            if choices is None:
                allowed = ", ".join(place.methods)
                raise Fault(405, f"{exchange.method} came, {allowed} is allowed", allow=allowed)
            if not self._machine.started:
                await self._machine.start()
            actor = await self._actor(scope, place.project)
            return await self._called(exchange, scope, receive, place, choices, actor)
        except (ClientDisconnect, Dropped):
            raise
        except Exception as error:
            return _refusal(error, exchange)

    def _document(self, exchange: Exchange, scope: Scope, segments: list[str]) -> Response | None:
        """What is served to everybody: the version documents and the description of the API."""
        if len(segments) > 1 or (segments and segments[0] not in _DOCUMENTS):
            return None
        name = segments[0] if segments else ""
        exchange.route = _DOCUMENTS[name]
        exchange.is_v21 = name == "v2.1"
        if exchange.method not in ("GET", "HEAD"):
            raise Fault(405, f"{exchange.method} came, GET is allowed", allow="GET")
        root = self._endpoint(exchange.headers, scope)
        if name == "openapi.json":
            return answer(openapi.document(root))
        if name == "":
            return answer(versions.versions(root))
        return answer(versions.version(root, "v2" if name == "v2" else "v2.1"))

    async def _actor(self, scope: Scope, project: str | None) -> Actor:
        scope["path_params"] = {"project": project}
        actor = self._authenticate(Request(scope))
        if inspect.isawaitable(actor):
            actor = await actor
        if actor is None:
            raise not_authenticated()
        return actor

    async def _called(
        self,
        exchange: Exchange,
        scope: Scope,
        receive: Receive,
        place: routes.Place,
        choices: routes.Choices,
        actor: Actor,
    ) -> Response:
        headers = exchange.headers
        route = choices.get(None)
        exchange.route = routes.UNKNOWN_ACTION if route is None else route.name
        sent, root = b"", ""
        refusal: Fault | ServerdomainError | None = None
        try:
            # Of the ids first, so that a refusal bears them too.
            key = request_ids.key_of(headers)
            if key is not None:
                exchange.key_sent = True
                exchange.request_id = request_ids.request_id_of(key, actor.project_id)
        except ServerdomainError as error:
            refusal = error
        if not exchange.request_id:
            exchange.request_id = new_request_id()
        try:
            if exchange.is_v21:
                microversion.check(headers)
            if refusal is not None:
                raise refusal
            root = self._endpoint(headers, scope)
            ask_announced(headers.get("content-length"))
            if exchange.method in _WITH_BODY:
                sent = await read_body(receive, headers.get("content-length"))
                route = _asked(route, choices, sent, headers.get("content-type"))
                exchange.route = route.name
            if place.project is not None and place.project != actor.project_id:
                raise Fault(
                    400,
                    f"Malformed request URL: its project {shown(place.project)} is not the "
                    f"caller's, {shown(actor.project_id)}",
                )
        except (Fault, ServerdomainError) as error:
            refusal = error
        call = exchange.call = Call(
            route=exchange.route,
            method=exchange.method,
            path=exchange.path,
            query=scope.get("query_string", b"").decode("latin-1"),
            api=place.api,
            project=place.project,
            server_id=place.server_id,
            item=place.item,
            actor=actor,
            request_id=exchange.request_id,
            correlation_id=request_ids.correlation_id_of(headers),
            endpoint=root,
            content_type=headers.get("content-type"),
            sent=sent,
            sent_headers=headers,
        )

        async def give() -> Response:
            if refusal is not None:
                return _refusal(refusal, exchange)
            assert route is not None
            try:
                return await self._threads.run(route.handler, self._cloud, call)
            except Exception as error:
                return _refusal(error, exchange)

        if self._control is None:
            return await give()
        return await self._control.around(call, give)

    def _endpoint(self, headers: Mapping[str, str], scope: Scope) -> str:
        if self._root is not None:
            return self._root
        host = headers.get("host")
        if host is None:
            name, port = scope.get("server") or ("localhost", None)
            host = name if port is None else f"{name}:{port}"
        if not _HOST.fullmatch(host):
            raise Fault(400, f"Host: {shown(host)} came, a name with or without a port is allowed")
        return f"{scope.get('scheme', 'http')}://{host}{quote(scope.get('root_path', ''))}"


_DOCUMENTS = {
    "": "versions.list",
    "v2": "versions.v2",
    "v2.1": "versions.v2.1",
    "openapi.json": "openapi",
}


def _segments(scope: Scope) -> list[str]:
    raw = scope.get("raw_path")
    path: bytes = quote(scope["path"]).encode() if raw is None else raw.partition(b"?")[0]
    if scope.get("root_path"):
        path = path.removeprefix(quote(scope["root_path"]).encode())
    try:
        # Cut before it is decoded: a tenant may have a slash of its own, as %2F.
        return [unquote_to_bytes(part).decode() for part in path.split(b"/") if part]
    except UnicodeDecodeError:
        raise Fault(400, "Malformed request URL: its path is no UTF-8") from None


def _asked(
    route: routes.Route | None, choices: routes.Choices, sent: bytes, content_type: str | None
) -> routes.Route:
    if route is not None:
        compute_json.read_json(sent, content_type=content_type)
        return route
    action = compute_json.read_action(sent, content_type=content_type)
    if action not in choices:
        known = ", ".join(name for name in choices if name is not None)
        raise InvalidBody("body", f"there is no action {shown(action)}, {known} are allowed")
    return choices[action]


def _refusal(error: Exception, exchange: Exchange) -> Response:
    if isinstance(error, StoreError) or not isinstance(error, Fault | ServerdomainError):
        log.trouble(error, exchange.request_id, exchange.route)
    elif exchange.call is not None and exchange.method not in ("GET", "HEAD"):
        log.refused(exchange.call, error)
    return fault(error, key_sent=exchange.key_sent, request_id=exchange.request_id)


async def _drop(scope: Scope, send: Send) -> None:
    drop = scope.get("extensions", {}).get(DROP)
    if callable(drop):
        done = drop()
        if inspect.isawaitable(done):
            await done
        return
    # A server that cannot drop a connection closes one whose answer breaks off.
    await send(
        {
            "type": "http.response.start",
            "status": 503,
            "headers": [(b"content-length", b"1"), (b"connection", b"close")],
        }
    )
