"""A connection of openstacksdk's to an endpoint, whose waits let the endpoint's time pass.

openstacksdk waits in one place, `openstack.utils.iterate_timeout`, by the module ``time``. While a
connection is open, that place goes by the endpoint's clock: to sleep moves it, and patience is
counted by it. Nothing else in the process notices. Needs the extra ``serverdomain[clients]``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from serverdomain.errors import ExtraMissing

try:
    import openstack
    from openstack import utils
except ModuleNotFoundError as missing:
    raise ExtraMissing("compute_endpoint.connection", missing.name, "clients") from None

if TYPE_CHECKING:
    from openstack.connection import Connection

    from serverdomain.adapters.http.control.simulation import Simulation


class Waiting:
    """What openstacksdk knows of time while it waits."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def time(self) -> float:
        """The endpoint's time, in seconds since 1970."""
        return self._simulation.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Let it pass; what is due by then has happened."""
        self._simulation.advance(seconds)


def connect(url: str, simulation: Simulation) -> tuple[Connection, Callable[[], None]]:
    """A connection to the endpoint at a root, which no setting of the user's changes; its end."""
    with warnings.catch_warnings():
        # It warns of parts of its own, which it uses itself.
        warnings.simplefilter("ignore")
        connection = openstack.connect(
            load_yaml_config=False,
            load_envvars=False,
            auth_type="none",
            auth={"endpoint": f"{url}/v2.1"},
            identity_api_version="3",
        )
    module = vars(utils)
    theirs, module["time"] = module["time"], Waiting(simulation)

    def close() -> None:
        module["time"] = theirs
        connection.close()

    return connection, close
