"""A Compute endpoint for tests of clients: on a free port, in a thread, its clock moved by hand.

The pytest fixture `compute_endpoint` gives one; without pytest it is a context manager. Needs the
extra ``http``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from serverdomain.adapters.client_settings import clouds_yaml
from serverdomain.adapters.http import compute_app
from serverdomain.adapters.http.calls.answers import encode
from serverdomain.adapters.http.control.fault_rule import read_rule
from serverdomain.adapters.http.control.panel import ControlPanel
from serverdomain.adapters.http.control.routes import require_names
from serverdomain.adapters.http.control.simulation import Simulation
from serverdomain.adapters.http.serving.server import listen, served
from serverdomain.domain.typed import typed
from serverdomain.servers import Servers
from serverdomain.simulation.hypervisor import REBUILD_SECONDS
from serverdomain.simulation.manual_clock import ManualClock

LAST_SECONDS = 1
"""How long calls in flight may take once the endpoint is closed."""

if TYPE_CHECKING:
    from openstack.connection import Connection


class Whose(TypedDict, total=False):
    """Whom a fault strikes, and how often: by default anyone, once.

    ``server`` is an id, ``name`` a glob, ``metadata`` items that are among the server's.
    """

    server: str
    name: str
    metadata: Mapping[str, str]
    times: int


@typed
class Faults:
    """Sets faults, each of which gives its id; one that could never match is refused."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def rebuild(
        self,
        kind: Literal["scheduling", "hypervisor", "hang"],
        *,
        at: int | None = None,
        **whose: Unpack[Whose],
    ) -> str:
        """A rebuild finds no host, fails on it, or hangs, once it is ``at`` percent."""
        return self._add(rebuild=kind, at=at, **whose)

    def answer(
        self,
        route: str,
        status: int,
        *,
        retry_after: int | None = None,
        delay: float | None = None,
        **whose: Unpack[Whose],
    ) -> str:
        """A call of a route is answered with a status, and nothing happens."""
        return self._add(route=route, status=status, retry_after=retry_after, delay=delay, **whose)

    def delay(self, route: str, seconds: float, **whose: Unpack[Whose]) -> str:
        """A call of a route waits for so many seconds of the client's time, then happens."""
        return self._add(route=route, delay=seconds, **whose)

    def drop(self, route: str, when: Literal["before", "after"], **whose: Unpack[Whose]) -> str:
        """The connection is closed without an answer, before or after what was asked happened."""
        return self._add(route=route, drop=when, **whose)

    def list(self) -> list[dict[str, Any]]:
        """The faults in force, each with how many times it has ``left``."""
        return [standing.as_json() for standing in self._simulation.settled_rules().all()]

    def remove(self, fault: str) -> None:
        """Remove a fault by its id."""
        self._simulation.settled_rules().remove(fault)

    def clear(self) -> None:
        """Remove all."""
        self._simulation.settled_rules().clear()

    def __len__(self) -> int:
        return len(self.list())

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.list())

    def __repr__(self) -> str:
        return f"<Faults: {len(self)} in force>"

    def _add(self, **members: Any) -> str:
        said = {name: value for name, value in members.items() if value is not None}
        rule = read_rule(json.dumps(said).encode(), None)
        return self._simulation.add_rule(rule).id


@typed
class Clock:
    """The endpoint's clock, which stands still: what is due happens when it is moved there."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    @property
    def now(self) -> datetime:
        """The time, aware. To set it moves the clock there (`Conflict` if that lies behind)."""
        return self._simulation.now()

    @now.setter
    def now(self, now: datetime) -> None:
        self._simulation.move_to(now)

    def __repr__(self) -> str:
        return f"<Clock at {self.now.isoformat()}>"

    def advance(self, by: float | timedelta) -> datetime:
        """Move it forward by seconds or a timedelta; gives the new time."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        return self._simulation.advance(seconds)


@typed
class Requests:
    """What the endpoint was asked, and what it answered: the last thousand calls, oldest first."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def __call__(
        self, *, server: str | None = None, route: str | None = None
    ) -> list[dict[str, Any]]:
        """Those about a server, or of a route, or both, as ``/control/requests`` shows them.

        Raises `InvalidInput` for a route that there is not, of which no call could ever be.
        """
        servers = None if server is None else [server]
        routes = None if route is None else [route]
        require_names(*(routes or ()))
        found = self._simulation.calls.of(servers, routes)
        shown: list[dict[str, Any]] = json.loads(encode([seen.as_json() for seen in found]))
        return shown

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self())

    def __len__(self) -> int:
        return len(self())

    def __repr__(self) -> str:
        return f"<Requests: {len(self)}>"


@typed
class ComputeEndpoint:
    """A running endpoint: ``url`` is its root, ``clouds_yaml`` a file that names it.

    ``servers`` are those behind it, to set a scene without HTTP. A rebuild takes
    ``rebuild_seconds`` of its clock. Callers are members of the project that their path names.
    ``connection`` is one of openstacksdk's, if that is installed.
    """

    def __init__(self, folder: Path, rebuild_seconds: float = REBUILD_SECONDS) -> None:
        clock = ManualClock()
        self.servers = Servers.open("memory:", clock=clock)
        self._simulation = Simulation(self.servers, rebuild_seconds=rebuild_seconds, clock=clock)
        self.faults = Faults(self._simulation)
        self.clock = Clock(self._simulation)
        self.requests = Requests(self._simulation)
        listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.clouds_yaml = folder / "clouds.yaml"
        self.clouds_yaml.write_text(clouds_yaml(self.url), "utf-8")
        app = compute_app(
            self.servers,
            hypervisor=self._simulation.start,
            control=ControlPanel(self._simulation),
        )
        self._connected = ExitStack()
        self._running = ExitStack()
        self._running.callback(self.servers.close)
        self._running.enter_context(served(app, listener, last_seconds=LAST_SECONDS))

    @cached_property
    def connection(self) -> Connection:
        """A connection of openstacksdk's, made anew after each reset, whose waits move the clock.

        While it is open, openstacksdk goes by that clock in this whole process: to wait takes no
        time, and patience is counted in the endpoint's seconds. Needs the extra ``clients``.
        """
        from serverdomain.testing.openstack_connection import connect

        connection, close = connect(self.url, self._simulation)
        self._connected.callback(close)
        return connection

    def reset(self) -> None:
        """Forget servers, faults and requests, and set the clock back to its start."""
        self._disconnect()
        self._simulation.reset()

    def __repr__(self) -> str:
        return f"<ComputeEndpoint at {self.url}>"

    def _disconnect(self) -> None:
        self._connected.close()
        self.__dict__.pop("connection", None)

    def close(self) -> None:
        """Answer the calls in flight, for at most a second, and stop."""
        self._disconnect()
        self._simulation.drop_delayed()
        self._running.close()

    def __enter__(self) -> ComputeEndpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
