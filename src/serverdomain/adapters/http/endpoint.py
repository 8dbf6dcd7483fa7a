"""The way of a request: its path, who calls, what is asked of every call, and its route's answer.

Everything that may wait for the store runs in a thread, in one hop; documents wait for nobody.
Whatever is raised on the way becomes the fault envelope: no exception reaches the server.
"""

from __future__ import annotations

import asyncio
import inspect
from time import perf_counter

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from serverdomain.adapters.http import log, routes
from serverdomain.adapters.http.admission import admit
from serverdomain.adapters.http.authentication import Authenticate, not_authenticated
from serverdomain.adapters.http.cloud import Cloud
from serverdomain.adapters.http.control import Control, Dropped, drop
from serverdomain.adapters.http.documents import document
from serverdomain.adapters.http.exchange import Exchange
from serverdomain.adapters.http.faults import Fault, fault
from serverdomain.adapters.http.machine import Machine
from serverdomain.adapters.http.threads import Threads
from serverdomain.domain.actor import Actor


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
        self._guard = getattr(authenticate, "guard", None)
        self._root = None if endpoint is None else endpoint.rstrip("/")
        self._control = control
        self._early = getattr(control, "early", None)
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
            response = exchange.complete(await self._response(exchange, receive))
            status = response.status_code
            if exchange.call is None and self._early is not None:
                self._early(exchange, response)
            await response(scope, receive, send)
        except ClientDisconnect:
            pass
        except Dropped:
            await drop(scope, send)
        except asyncio.CancelledError:
            # The server ends, and waits for this no longer.
            if status is None:
                status = 503
                await exchange.complete(fault(_ending(exchange)))(scope, receive, send)
            raise
        finally:
            log.answered(
                method=exchange.method,
                path=exchange.path,
                status=status,
                seconds=perf_counter() - started,
                request_id=exchange.request_id,
                route=exchange.route,
                call=exchange.call,
            )

    async def _response(self, exchange: Exchange, receive: Receive) -> Response:
        try:
            segments = exchange.segments()
            if self._guard is not None and len(segments) < 2:
                self._guard(exchange.headers)
            shown = document(exchange, segments, self._root)
            if shown is not None:
                return shown
            place = routes.find(segments)
            if place is None:
                raise Fault(404, "The resource could not be found.")
            exchange.answers_v21 = place.api == "v2.1"
            exchange.server_id = place.server_id
            choices = place.methods.get("GET" if exchange.is_read else exchange.method)
            if choices is None:
                allowed = ", ".join(place.methods)
                raise Fault(405, f"{exchange.method} came, {allowed} is allowed", allow=allowed)
            route = choices.get(None)
            exchange.route = routes.UNKNOWN_ACTION if route is None else route.name
            if not self._machine.started:
                await self._machine.start()
            actor = await self._actor(exchange.scope, place.project)
            return await self._called(exchange, receive, place, choices, actor)
        except (ClientDisconnect, Dropped):
            raise
        except Exception as error:
            return exchange.refusal(error)

    async def _actor(self, scope: Scope, project: str | None) -> Actor:
        scope["path_params"] = {"project": project}
        actor = self._authenticate(Request(scope))
        # Asked first, since most are no coroutines: whether one is, takes longer to find out.
        if not isinstance(actor, Actor) and inspect.isawaitable(actor):
            actor = await actor
        if actor is None:
            raise not_authenticated()
        return actor

    async def _called(
        self,
        exchange: Exchange,
        receive: Receive,
        place: routes.Place,
        choices: routes.Choices,
        actor: Actor,
    ) -> Response:
        call, route = await admit(exchange, receive, place, choices, actor, self._root)

        async def answer() -> Response:
            if isinstance(route, Exception):
                return exchange.refusal(route)
            try:
                known = None if route.at_once is None else route.at_once(self._cloud, call)
                if known is not None:
                    return known
                return await self._threads.run(route.handler, self._cloud, call)
            except Exception as error:
                return exchange.refusal(error)

        if self._control is None:
            return await answer()
        return await self._control.around(call, answer)


def _ending(exchange: Exchange) -> Fault:
    how = "under its Idempotency-Key" if exchange.key_sent else "best under an Idempotency-Key"
    what = "" if exchange.is_read else f", {how}: whether it happened is unknown"
    return Fault(503, f"The server ends: repeat the call{what}.")
