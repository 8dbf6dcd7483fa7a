"""``/control``: the paths by which a simulation is told what to do, and what they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from anyio import to_thread
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from serverdomain.adapters.compute_json.body import Strict, check, parse
from serverdomain.adapters.http.calls.admission import read_body
from serverdomain.adapters.http.calls.answers import CallFault, answer, empty
from serverdomain.adapters.http.control.fault_rule import FaultRule, read_rule
from serverdomain.adapters.http.control.simulation import Simulation
from serverdomain.adapters.http.routes.documents import DOCUMENTS
from serverdomain.adapters.http.routes.table import NAMES
from serverdomain.domain import limits, moment
from serverdomain.errors import InvalidBody, InvalidInput

_NAMES = (*NAMES, *(document.name for document in DOCUMENTS.values()))

Act = Callable[[Simulation, Request], Awaitable[Response]]

MOST_SECONDS = 1_000_000_000
"""How far a clock may be moved at once; more is a mistake."""


class ClockMove(Strict):
    """Where to move the clock: forward by seconds, or to a time in RFC 3339 with a zone."""

    model_config = ConfigDict(extra="forbid")

    advance: Annotated[float, Field(ge=0, le=MOST_SECONDS, allow_inf_nan=False)] | None = None
    now: str | None = None


def routes(simulation: Simulation) -> list[BaseRoute]:
    """What is served below ``/control``."""

    def route(path: str, **acts: Act) -> Route:
        async def resource(request: Request) -> Response:
            act = acts.get("GET" if request.method == "HEAD" else request.method)
            if act is None:
                allowed = ", ".join(acts)
                raise CallFault(405, f"{request.method} came, {allowed} is allowed", allow=allowed)
            return await act(simulation, request)

        # Starlette is told of no method: it would refuse others without our envelope.
        return Route(path, resource, methods=())

    async def index(_: Simulation, request: Request) -> Response:
        return answer(takes(request.scope["root_path"]))

    return [
        route("/", GET=index),
        route("/faults", GET=_list_faults, POST=_add_fault, DELETE=_clear_faults),
        route("/faults/{fault_id}", DELETE=_remove_fault),
        route("/clock", GET=_tell_clock, POST=_move_clock),
        route("/reset", POST=_reset),
        route("/requests", GET=_list_requests),
    ]


def takes(root: str) -> dict[str, Any]:
    """What can be asked of it: each path, and what may be sent there, as JSON Schema."""

    def told(method: str, path: str, says: str, body: type[Strict] | None = None) -> dict[str, Any]:
        schema = {} if body is None else {"body": body.model_json_schema()}
        return {"method": method, "path": f"{root}{path}", "says": says, **schema}

    selected = "The last thousand calls, of these servers (?server=ID) and routes (?route=NAME)."
    return {
        "control": [
            told("GET", "/faults", "The rules, and how often each may still strike."),
            told("POST", "/faults", "Make something go wrong.", FaultRule),
            told("DELETE", "/faults", "Take all rules away."),
            told("DELETE", "/faults/{id}", "Take one rule away."),
            told("GET", "/clock", "The time."),
            told("POST", "/clock", "Move a manual clock; what is due by then happens.", ClockMove),
            told("POST", "/reset", "Empty a store in memory, and forget all rules and calls."),
            told("GET", "/requests", selected),
        ]
    }


async def _add_fault(simulation: Simulation, request: Request) -> Response:
    rule = read_rule(await _body(request), request.headers.get("content-type"))
    standing = await to_thread.run_sync(simulation.add_rule, rule)
    return answer(standing.as_json(), 201, location=f"{request.url.path.rstrip('/')}/{standing.id}")


async def _list_faults(simulation: Simulation, request: Request) -> Response:
    rules = await to_thread.run_sync(simulation.settled_rules)
    return answer({"faults": [standing.as_json() for standing in rules.all()]})


async def _clear_faults(simulation: Simulation, request: Request) -> Response:
    (await to_thread.run_sync(simulation.settled_rules)).clear()
    return empty(204)


async def _remove_fault(simulation: Simulation, request: Request) -> Response:
    rules = await to_thread.run_sync(simulation.settled_rules)
    rules.remove(request.path_params["fault_id"])
    return empty(204)


async def _tell_clock(simulation: Simulation, request: Request) -> Response:
    return answer({"now": moment.exact(moment.to_micros(simulation.now()))})


async def _move_clock(simulation: Simulation, request: Request) -> Response:
    value = parse(await _body(request), request.headers.get("content-type"))
    move = check(ClockMove, value, "")
    if (move.advance is None) == (move.now is None):
        raise InvalidBody("body", "advance (seconds) or now (a time), one of them is required")
    if move.advance is not None:
        now = await to_thread.run_sync(simulation.advance, move.advance)
    else:
        assert move.now is not None
        to = moment.to_datetime(moment.parse(move.now, "now"))
        now = await to_thread.run_sync(simulation.move_to, to)
    return answer({"now": moment.exact(moment.to_micros(now))})


async def _reset(simulation: Simulation, request: Request) -> Response:
    await to_thread.run_sync(simulation.reset)
    return empty(204)


async def _list_requests(simulation: Simulation, request: Request) -> Response:
    asked = request.query_params
    unknown = ", ".join(limits.shown(name) for name in asked.keys() - {"server", "route"})
    if unknown:
        raise CallFault(400, f"{unknown} came, server and route are allowed")
    servers, names = asked.getlist("server"), asked.getlist("route")
    require_names(*names)
    found = simulation.calls.of(servers or None, names or None)
    return answer({"requests": [seen.as_json() for seen in found]})


def require_names(*names: str) -> None:
    """Raise `InvalidInput` unless these are names of routes: a call of another could never be."""
    for name in names:
        if name not in _NAMES:
            known = ", ".join(_NAMES)
            raise InvalidInput("route", f"there is no {limits.shown(name)}, {known} are allowed")


async def _body(request: Request) -> bytes:
    return await read_body(request.receive, request.headers.get("content-length"))
