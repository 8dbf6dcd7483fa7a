"""A server's life as an append-only list of facts, and everything else made from it.

The public names; each is imported when it is asked for, so that ``import serverdomain`` costs
nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serverdomain.audit.as_of import AsOf
    from serverdomain.audit.diff import Diff, FleetDiff, PathChange
    from serverdomain.audit.fleet import Fleet
    from serverdomain.audit.supposed import Supposed
    from serverdomain.audit.what_if import WhatIf
    from serverdomain.domain.actor import SYSTEM, Actor
    from serverdomain.domain.commands import CreateServer, RebuildServer, RegisterServer
    from serverdomain.domain.document import Change
    from serverdomain.domain.events import Address, Event, Fault
    from serverdomain.domain.server import Rebuild, Server
    from serverdomain.errors import (
        Conflict,
        InvalidBody,
        InvalidInput,
        NotFound,
        OutcomeUnknown,
        Refused,
        RequestIdTaken,
        ServerdomainError,
        StoreDamaged,
        StoreError,
        StoreForeign,
        StoreLocked,
        StoreMissing,
        StoreNewer,
        UnknownEvent,
        Unproven,
    )
    from serverdomain.projections.history import HistoryEntry
    from serverdomain.projections.timeline import Timeline
    from serverdomain.servers import Accepted, Servers
    from serverdomain.store.context import Context
    from serverdomain.store.finding import Finding
    from serverdomain.store.request import Outcome

_HOMES = {
    "serverdomain.audit.as_of": ("AsOf",),
    "serverdomain.audit.diff": ("Diff", "FleetDiff", "PathChange"),
    "serverdomain.store.finding": ("Finding",),
    "serverdomain.audit.fleet": ("Fleet",),
    "serverdomain.projections.history": ("HistoryEntry",),
    "serverdomain.audit.supposed": ("Supposed",),
    "serverdomain.projections.timeline": ("Timeline",),
    "serverdomain.audit.what_if": ("WhatIf",),
    "serverdomain.domain.actor": ("SYSTEM", "Actor"),
    "serverdomain.domain.commands": ("CreateServer", "RebuildServer", "RegisterServer"),
    "serverdomain.domain.document": ("Change",),
    "serverdomain.domain.events": ("Address", "Event", "Fault"),
    "serverdomain.domain.server": ("Rebuild", "Server"),
    "serverdomain.errors": (
        "Conflict",
        "InvalidBody",
        "InvalidInput",
        "NotFound",
        "OutcomeUnknown",
        "Refused",
        "RequestIdTaken",
        "ServerdomainError",
        "StoreDamaged",
        "StoreError",
        "StoreForeign",
        "StoreLocked",
        "StoreMissing",
        "StoreNewer",
        "UnknownEvent",
        "Unproven",
    ),
    "serverdomain.servers": ("Accepted", "Servers"),
    "serverdomain.store.request": ("Outcome",),
    "serverdomain.store.context": ("Context",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "SYSTEM",
    "Accepted",
    "Actor",
    "Address",
    "AsOf",
    "Change",
    "Conflict",
    "Context",
    "CreateServer",
    "Diff",
    "Event",
    "Fault",
    "Finding",
    "Fleet",
    "FleetDiff",
    "HistoryEntry",
    "InvalidBody",
    "InvalidInput",
    "NotFound",
    "Outcome",
    "OutcomeUnknown",
    "PathChange",
    "Rebuild",
    "RebuildServer",
    "Refused",
    "RegisterServer",
    "RequestIdTaken",
    "Server",
    "ServerdomainError",
    "Servers",
    "StoreDamaged",
    "StoreError",
    "StoreForeign",
    "StoreLocked",
    "StoreMissing",
    "StoreNewer",
    "Supposed",
    "Timeline",
    "UnknownEvent",
    "Unproven",
    "WhatIf",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
