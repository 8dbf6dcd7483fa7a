"""For your tests: given/when/then, a clock that you move, strategies, what a store must pass.

Every name is resolved when it is asked for, so that loading this package loads nothing else.
`StoreContract`, `LogContract` and `serverdomain.testing.strategies` need the extra
``testing``, the rest does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serverdomain.simulation.manual_clock import ManualClock as ManualClock
    from serverdomain.testing.scenario import ADMIN as ADMIN
    from serverdomain.testing.scenario import OWNER as OWNER
    from serverdomain.testing.scenario import READER as READER
    from serverdomain.testing.scenario import Scenario as Scenario
    from serverdomain.testing.scenario import Verdict as Verdict
    from serverdomain.testing.scenario import given as given
    from serverdomain.testing.scenario import registered as registered
    from serverdomain.testing.store_contract import LogContract as LogContract
    from serverdomain.testing.store_contract import StoreContract as StoreContract

_HOMES = {
    "ADMIN": "serverdomain.testing.scenario",
    "OWNER": "serverdomain.testing.scenario",
    "READER": "serverdomain.testing.scenario",
    "LogContract": "serverdomain.testing.store_contract",
    "ManualClock": "serverdomain.simulation.manual_clock",
    "Scenario": "serverdomain.testing.scenario",
    "StoreContract": "serverdomain.testing.store_contract",
    "Verdict": "serverdomain.testing.scenario",
    "given": "serverdomain.testing.scenario",
    "registered": "serverdomain.testing.scenario",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
