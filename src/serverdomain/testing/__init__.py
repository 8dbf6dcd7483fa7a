"""For your tests: given/when/then for the domain, a clock that you move, hypothesis strategies.

Every name is resolved when it is asked for, so that loading this package loads nothing else.
`serverdomain.testing.strategies` needs the extra ``serverdomain[testing]``, the rest does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serverdomain.testing.clock import ManualClock
    from serverdomain.testing.scenario import (
        ADMIN,
        OWNER,
        READER,
        Scenario,
        Verdict,
        given,
        registered,
    )

_HOMES = {
    "ADMIN": "scenario",
    "OWNER": "scenario",
    "READER": "scenario",
    "ManualClock": "clock",
    "Scenario": "scenario",
    "Verdict": "scenario",
    "given": "scenario",
    "registered": "scenario",
}

__all__ = [
    "ADMIN",
    "OWNER",
    "READER",
    "ManualClock",
    "Scenario",
    "Verdict",
    "given",
    "registered",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
