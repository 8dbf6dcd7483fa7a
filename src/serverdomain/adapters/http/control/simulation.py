"""The simulated cloud behind an endpoint, in the hands of a test: its faults, clock and store."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from threading import RLock

from serverdomain.adapters.http.control.calls_seen import CallsSeen
from serverdomain.adapters.http.control.epoch import Epoch
from serverdomain.adapters.http.control.fault_rule import FaultRule
from serverdomain.adapters.http.control.fault_rules import FaultRules, Standing
from serverdomain.domain import moment
from serverdomain.errors import Conflict, InvalidInput
from serverdomain.servers import Servers
from serverdomain.simulation.hypervisor import REBUILD_SECONDS, SimulatedHypervisor
from serverdomain.simulation.manual_clock import ManualClock
from serverdomain.simulation.rebuild_course import checked_seconds

_LOOK_AGAIN = 0.005


class Simulation:
    """Servers with a simulated hypervisor, and the faults and the clock that it obeys.

    ``clock`` is the servers' own, if it is moved by hand. ``calls`` are those that a `ControlPanel`
    over it has seen.
    """

    def __init__(
        self,
        servers: Servers,
        *,
        rebuild_seconds: float = REBUILD_SECONDS,
        clock: ManualClock | None = None,
    ) -> None:
        self.calls = CallsSeen()
        self.epoch = Epoch()
        self.servers = servers
        self._clock = clock
        self._began = None if clock is None else clock.now
        self._rebuild_seconds = checked_seconds("rebuild_seconds", rebuild_seconds)
        self.rules = FaultRules()
        self._hypervisor: SimulatedHypervisor | None = None
        self._moving = RLock()

    def start(self, servers: Servers) -> Simulation:
        """Start the hypervisor: what `compute_app` is given as its ``hypervisor``."""
        # Not while another thread is emptying the store.
        with self._moving:
            self._hypervisor = SimulatedHypervisor(
                servers, self._rebuild_seconds, self.rules.trouble
            )
        return self

    def stop(self) -> None:
        """Stop the hypervisor."""
        if self._hypervisor is not None:
            self._hypervisor.stop()

    def settled_rules(self) -> FaultRules:
        """The rules, to be looked at or taken away.

        A rule applies to what is asked while it is in force: so before one comes or goes, the
        hypervisor takes up all that was asked.
        """
        self._settled()
        return self.rules

    def add_rule(self, rule: FaultRule) -> Standing:
        """Put a rule in force.

        Raises `Conflict` for one about rebuilds where another process does them, or nobody: here it
        would never strike.
        """
        if not self._settled() and rule.rebuild is not None:
            raise Conflict(
                "rebuild: this process does not do the work, because another one does, or because "
                "the reaction has stopped ('serverdomain reactions list'); set the fault there"
            )
        return self.rules.add(rule)

    def _settled(self) -> bool:
        return self._hypervisor is not None and self._hypervisor.caught_up()

    def now(self) -> datetime:
        """The time by the servers' clock, aware."""
        return self.servers.now()

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward; what was due by then has happened when this returns."""
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
            latest = self.servers.latest() or clock.now
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
        """Empty a store in memory; forget faults and calls; set a manual clock back to its start.

        Calls that a fault delays are dropped, and never carried out. Raises `Conflict` for a store
        in a file.
        """
        with self._moving:
            self.servers.require_forgettable()
            # What is under way ends first, or it would happen to what comes after.
            self.epoch.end()
            try:
                self.servers.forget()
                self.rules.clear()
                self.calls.clear()
                if self._clock is not None and self._began is not None:
                    self._clock.set_back(self._began)
                if self._hypervisor is not None:
                    self.start(self.servers)
            finally:
                # Whatever failed: in an epoch that is over, every call would be dropped.
                self.epoch = Epoch()

    async def present_epoch(self) -> Epoch:
        """The epoch to which a call belongs that comes now: in a reset, the one that it begins."""
        while (epoch := self.epoch).is_over:
            await asyncio.sleep(_LOOK_AGAIN)
        return epoch

    def drop_delayed(self) -> None:
        """Drop the calls that a fault delays: the endpoint is about to end, and waits for none."""
        self.epoch.let_go()


def _shown(time: datetime) -> str:
    return moment.exact(moment.to_micros(time))
