"""A server's life as an append-only list of facts, and everything else made from it.

The public names; each is imported when it is asked for, so that ``import serverdomain`` costs
nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str

    from serverdomain.audit.actions import Action as Action
    from serverdomain.audit.as_of import AsOf as AsOf
    from serverdomain.audit.diff import Diff as Diff
    from serverdomain.audit.diff import FleetDiff as FleetDiff
    from serverdomain.audit.diff import PathChange as PathChange
    from serverdomain.audit.fleet import Fleet as Fleet
    from serverdomain.audit.supposed import Supposed as Supposed
    from serverdomain.audit.what_if import WhatIf as WhatIf
    from serverdomain.domain.actor import SYSTEM as SYSTEM
    from serverdomain.domain.actor import Actor as Actor
    from serverdomain.domain.commands import CreateServer as CreateServer
    from serverdomain.domain.commands import RebuildServer as RebuildServer
    from serverdomain.domain.commands import RegisterServer as RegisterServer
    from serverdomain.domain.document import Change as Change
    from serverdomain.domain.events import Address as Address
    from serverdomain.domain.events import Event as Event
    from serverdomain.domain.events import Fault as Fault
    from serverdomain.domain.server import Rebuild as Rebuild
    from serverdomain.domain.server import Server as Server
    from serverdomain.errors import Conflict as Conflict
    from serverdomain.errors import InvalidBody as InvalidBody
    from serverdomain.errors import InvalidInput as InvalidInput
    from serverdomain.errors import NotFound as NotFound
    from serverdomain.errors import OutcomeUnknown as OutcomeUnknown
    from serverdomain.errors import Refused as Refused
    from serverdomain.errors import RequestIdTaken as RequestIdTaken
    from serverdomain.errors import ServerdomainError as ServerdomainError
    from serverdomain.errors import StoreBehind as StoreBehind
    from serverdomain.errors import StoreDamaged as StoreDamaged
    from serverdomain.errors import StoreError as StoreError
    from serverdomain.errors import StoreForeign as StoreForeign
    from serverdomain.errors import StoreLocked as StoreLocked
    from serverdomain.errors import StoreMissing as StoreMissing
    from serverdomain.errors import StoreNewer as StoreNewer
    from serverdomain.errors import StoreReadOnly as StoreReadOnly
    from serverdomain.errors import UnknownEvent as UnknownEvent
    from serverdomain.errors import Unproven as Unproven
    from serverdomain.projections.history import HistoryEntry as HistoryEntry
    from serverdomain.projections.timeline import Timeline as Timeline
    from serverdomain.servers import Accepted as Accepted
    from serverdomain.servers import Servers as Servers
    from serverdomain.servers.awaited import AsyncServers as AsyncServers
    from serverdomain.store.context import Context as Context
    from serverdomain.store.finding import Finding as Finding
    from serverdomain.store.request import Outcome as Outcome

_HOMES = {
    "serverdomain.audit.actions": ("Action",),
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
        "StoreBehind",
        "StoreLocked",
        "StoreMissing",
        "StoreNewer",
        "StoreReadOnly",
        "UnknownEvent",
        "Unproven",
    ),
    "serverdomain.servers": ("Accepted", "Servers"),
    "serverdomain.servers.awaited": ("AsyncServers",),
    "serverdomain.store.request": ("Outcome",),
    "serverdomain.store.context": ("Context",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
