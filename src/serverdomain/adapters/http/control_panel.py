"""The control that ships: faults on purpose, a clock by hand, an empty store, what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from anyio import to_thread
from starlette.responses import Response
from starlette.routing import BaseRoute

from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.calls_seen import CallsSeen
from serverdomain.adapters.http.control import Answer, Dropped
from serverdomain.adapters.http.exchange import Exchange
from serverdomain.adapters.http.fault_rule import FaultRule
from serverdomain.adapters.http.fault_rules import FaultRules, Standing, Subject
from serverdomain.adapters.http.faults import envelope
from serverdomain.domain import moment
from serverdomain.errors import Conflict, InvalidInput, NotFound
from serverdomain.servers import Servers
from serverdomain.simulation.hypervisor import REBUILD_SECONDS, SimulatedHypervisor
from serverdomain.simulation.manual_clock import ManualClock
from serverdomain.simulation.rebuild_course import checked_seconds


class ControlPanel:
    """A `Control`, and the simulated hypervisor that its faults and its clock speak to.

    ::

        panel = ControlPanel(servers, clock=clock)
        app = compute_app(servers, hypervisor=panel.start, control=panel)

    ``clock`` is the servers' own, where that is moved by hand.
    """

    def __init__(
        self,
        servers: Servers,
        *,
        rebuild_seconds: float = REBUILD_SECONDS,
        clock: ManualClock | None = None,
    ) -> None:
        self.calls = CallsSeen()
        self._servers = servers
        self._clock = clock
        self._began = None if clock is None else clock.now
        self._rebuild_seconds = checked_seconds("rebuild_seconds", rebuild_seconds)
        self._rules = FaultRules()
        self._hypervisor: SimulatedHypervisor | None = None
        self._moving = RLock()

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """What is served below ``/control``."""
        from serverdomain.adapters.http.control_routes import routes

        return routes(self)

    def start(self, servers: Servers) -> ControlPanel:
        """Start the hypervisor: what `compute_app` is given as its ``hypervisor``."""
        # Not while another thread empties the store under it.
        with self._moving:
            self._hypervisor = SimulatedHypervisor(
                servers, self._rebuild_seconds, self._rules.trouble
            )
        return self

    def stop(self) -> None:
        """Stop the hypervisor."""
        if self._hypervisor is not None:
            self._hypervisor.stop()

    # Faults. What was asked before a rule came is not touched by it, and what was asked before it
    # goes is: so first all that the log asks for is taken up.

    def add_fault(self, rule: FaultRule) -> Standing:
        """Put a rule in force."""
        self._settle()
        return self._rules.add(rule)

    def faults(self) -> list[Standing]:
        """The rules, and how many times each has left."""
        self._settle()
        return self._rules.all()

    def remove_fault(self, rule_id: str) -> None:
        """Take a rule away. Raises `NotFound`."""
        self._settle()
        self._rules.remove(rule_id)

    def clear_faults(self) -> None:
        """Take all rules away."""
        self._settle()
        self._rules.clear()

    # The clock

    def now(self) -> datetime:
        """What the servers' clock says."""
        return self._servers.now()

    def advance(self, seconds: float) -> datetime:
        """Move the clock on; what was due by then has happened when this returns."""
        try:
            return self.move_to(self.now() + timedelta(seconds=seconds))
        except OverflowError:
            raise InvalidInput("advance", f"{seconds} came, no clock goes so far") from None

    def move_to(self, now: datetime) -> datetime:
        """Move the clock to a time; what was due by then has happened when this returns.

        Raises `Conflict` for a time behind the clock or the log's latest, and where the clock is
        the machine's.
        """
        clock = self._clock
        if clock is None:
            raise Conflict("the clock is the machine's: a manual one (--clock manual) is moved")
        with self._moving:
            moment.to_micros(now, "now")
            latest = self._servers.latest() or clock.now
            earliest = max(clock.now, latest)
            if now < earliest:
                raise Conflict(
                    f"now: {_shown(now)} came, the clock goes forward only: it stands at "
                    f"{_shown(clock.now)}, and the log took its latest in at {_shown(latest)}"
                )
            if self._hypervisor is None:
                clock.now = now
            else:
                self._hypervisor.advance(clock, now)
            return clock.now

    def reset(self) -> None:
        """Empty a store in memory, and all here with it; a manual clock is back where it began.

        Raises `Conflict` for a store in a file.
        """
        with self._moving:
            self._servers.forget()
            self._rules.clear()
            self.calls.clear()
            if self._clock is not None and self._began is not None:
                self._clock.set_back(self._began)
            if self._hypervisor is not None:
                self.start(self._servers)

    # Calls

    async def around(self, call: Call, answer: Answer) -> Response:
        """Give the response to a call, as the faults say, and remember it."""
        standing = None
        if self._rules.concern(call.route):
            subject = await to_thread.run_sync(self._subject, call)
            standing = self._rules.strike(call.route, subject)
        if standing is None:
            response = await answer()
            self.calls.add(call, self.now(), response, None)
            return response
        return await self._struck(call, answer, standing)

    def early(self, exchange: Exchange, response: Response) -> None:
        """Remember what was answered before it became a call."""
        self.calls.add_early(exchange, self.now(), response)

    async def _struck(self, call: Call, answer: Answer, standing: Standing) -> Response:
        rule = standing.rule
        response = None
        if rule.delay is not None:
            # The client's own time, which passes whatever our clock says.
            await asyncio.sleep(rule.delay)
        if rule.status is not None:
            again = {} if rule.retry_after is None else {"retry-after": str(rule.retry_after)}
            response = envelope(rule.status, "A fault set at /control/faults.", **again)
        elif rule.drop != "before":
            response = await answer()
        if rule.drop is not None:
            self.calls.add(call, self.now(), None, standing.id)
            raise Dropped
        assert response is not None
        self.calls.add(call, self.now(), response, standing.id)
        return response

    def _subject(self, call: Call) -> Subject:
        if call.server_id is None:
            return _to_be_made(call.body)
        try:
            server = self._servers.get(call.server_id)
        except NotFound:
            return Subject(call.server_id)
        return Subject(server.id, server.name, server.metadata)

    def _settle(self) -> None:
        if self._hypervisor is not None:
            self._hypervisor.caught_up()


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


def _shown(time: datetime) -> str:
    return moment.exact(moment.to_micros(time))
