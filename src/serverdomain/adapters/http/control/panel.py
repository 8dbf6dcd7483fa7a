"""The control that ships: it makes faults happen on purpose, and remembers calls.

::

    simulation = Simulation(servers, clock=clock)
    app = compute_app(
        servers, hypervisor=simulation.start, control=ControlPanel(simulation)
    )
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anyio import to_thread
from starlette.responses import Response
from starlette.routing import BaseRoute

from serverdomain.adapters.http.calls.answers import envelope
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.control import Answer, Dropped
from serverdomain.adapters.http.control.epoch import Epoch
from serverdomain.adapters.http.control.fault_rule import FaultRule
from serverdomain.adapters.http.control.fault_rules import Subject
from serverdomain.adapters.http.control.routes import routes
from serverdomain.adapters.http.control.simulation import Simulation
from serverdomain.errors import NotFound

_BARE, _FIELD, _PARSED = 16 * 1024, 200, 32


class ControlPanel:
    """A `Control` over a simulation, which its routes tell what to do."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What is served below ``/control``."""
        return routes(self._simulation)

    async def around(self, call: Call, answer: Answer) -> Response:
        """Give the response to a call, or what the faults make of it, and remember both."""
        standing, epoch = None, await self._simulation.present_epoch()
        response: Response | None = None
        # A reset waits for the look at the server, too.
        with epoch:
            if self._simulation.rules.concern(call.route):
                subject = await to_thread.run_sync(self._subject, call)
                standing = self._simulation.rules.strike(call.route, subject)
            if standing is None:
                response = await answer()
        if standing is not None:
            response = await _struck(standing.rule, call, answer, epoch)
        fault = None if standing is None else standing.id
        if not epoch.is_over:
            self._simulation.calls.add(call, self._simulation.now(), response, fault)
        if response is None:
            raise Dropped
        return response

    def early(self, call: Call, response: Response) -> None:
        """Remember a request that was answered before it was admitted."""
        self._simulation.calls.add(call, self._simulation.now(), response, None)

    def _subject(self, call: Call) -> Subject:
        if call.server_id is None:
            return _to_be_made(call.body)
        try:
            server = self._simulation.servers.get(call.server_id)
        except NotFound:
            return Subject(call.server_id)
        return Subject(server.id, server.name, server.metadata)


async def _struck(rule: FaultRule, call: Call, answer: Answer, epoch: Epoch) -> Response | None:
    """What a rule makes of a call: a response, or none if the call is to be dropped."""
    # A delay is the client's own time, whatever our clock says.
    if rule.delay is not None and not await epoch.wait(rule.delay, _weight(call)):
        return envelope(503, "Too many calls are delayed by a fault: nothing happened.")
    if rule.status is not None:
        again = {} if rule.retry_after is None else {"retry-after": str(rule.retry_after)}
        return envelope(rule.status, "A fault set at /control/faults.", **again)
    if rule.drop == "before":
        return None
    with epoch:
        response = await answer()
    return response if rule.drop is None else None


def _weight(call: Call) -> int:
    """What a call weighs that waits, in bytes, roughly: a parsed body weighs many times as much."""
    head = sum(len(name) + len(value) + _FIELD for name, value in call.scope["headers"])
    return _BARE + 2 * head + len(call.path) + len(call.query) + _PARSED * len(call.sent)


def _to_be_made(body: Any) -> Subject:
    asked = body.get("server") if isinstance(body, dict) else None
    if not isinstance(asked, dict):
        return Subject()
    name, metadata = asked.get("name"), asked.get("metadata")
    return Subject(
        None,
        name.strip() if isinstance(name, str) else None,
        metadata if isinstance(metadata, dict) else {},
    )
