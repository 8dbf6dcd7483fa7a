"""The hypervisor behind an endpoint: started with it, and stopped with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from anyio import Lock, to_thread

from serverdomain.servers import Servers


class Running(Protocol):
    """A hypervisor at work."""

    def stop(self) -> None:
        """Stop after the current step; unfinished work goes on at the next start."""


Hypervisor = Callable[[Servers], Running]
"""Starts a hypervisor that does the work of these servers."""


def simulated(servers: Servers) -> Running:
    """The hypervisor that ships: builds and rebuilds take some seconds and succeed."""
    from serverdomain.simulation.hypervisor import SimulatedHypervisor

    return SimulatedHypervisor(servers)


class Machine:
    """The hypervisor of one endpoint, if it has one."""

    def __init__(self, servers: Servers, hypervisor: Hypervisor | None) -> None:
        self._servers = servers
        self._hypervisor = hypervisor
        self._running: Running | None = None
        self._starting = Lock()
        self.started = hypervisor is None

    async def start(self) -> None:
        """Start it, unless it runs: with the app or, without a lifespan, at the first call."""
        async with self._starting:
            if not self.started and self._hypervisor is not None:
                self._running = await to_thread.run_sync(self._hypervisor, self._servers)
                self.started = True

    async def stop(self) -> None:
        """Stop it, if it runs."""
        async with self._starting:
            running, self._running = self._running, None
            self.started = self._hypervisor is None
            if running is not None:
                await to_thread.run_sync(running.stop)
