"""The public doors, found by looking, and what to hand to each so that only one thing is wrong."""

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Unpack, get_args, get_origin, get_type_hints

import serverdomain
from serverdomain import Actor, AsOf, Context, CreateServer, RebuildServer, testing
from serverdomain.adapters import compute_json, http
from serverdomain.audit import ledger, reports
from serverdomain.domain import commands
from serverdomain.domain.events import ServerStopped
from serverdomain.projections.happened import Happened
from serverdomain.projections.reactions import Reaction
from serverdomain.projections.server_view import ServerView
from serverdomain.servers.awaited import AsyncReaction
from serverdomain.testing import ManualClock, compute_endpoint, registered, strategies

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
SERVER = registered().server_id
NOW = datetime(2026, 8, 1, tzinfo=UTC)

PACKAGES = (serverdomain, testing, compute_json, http, ledger, reports)
BESIDES = (
    *(ServerView, Reaction, AsyncReaction, Happened, *commands.COMMANDS.values()),
    *(compute_endpoint.ComputeEndpoint, compute_endpoint.Faults),
    *(compute_endpoint.Clock, compute_endpoint.Requests),
    *(strategies.metadata, strategies.histories),
)
"""What no package exports, but is given back or described on a page."""

GIVEN_BACK = {
    *("Accepted", "Action", "Change", "Diff", "Finding", "FleetDiff", "HistoryEntry", "Outcome"),
    *("PathChange", "Rebuild", "Server", "WhatIf", "Json", "Call", "Checkpoint", "Made"),
    *("Problem", "Images", "LostMetadata", "Rebuilds", "Unproven", "Event"),
}
"""Nobody makes these or hands them anything: they are answers."""

OF_OTHERS = {
    *("Control", "EarlyWatcher", "Guard", "OpensControl", "LogContract", "StoreContract"),
    *("Address", "Fault"),
}
"""Protocols and suites that others fulfil, and what is looked at where it is handed in."""

OURS_TO_CALL = {"to", "counts", "guard"}
"""Methods by which one room asks another, and the endpoint whoever is calling."""

NEVER_MADE = {
    *("Timeline", "ServerView", "Fleet", "Ledger", "Reaction", "AsyncReaction", "Happened"),
    "Scenario",
    *("Verdict", "Faults", "Clock", "Requests"),
}
"""What others are asked for."""

RIGHT: dict[str, Any] = {
    "access_ipv4": "1.2.3.4",
    "access_ipv6": "::1",
    "actor": Actor("fake", "openstack"),
    "addresses": {},
    "admin": False,
    "admin_pass": "seekr3t",
    "after": "now",
    "anchored": False,
    "as_of": AsOf(position=1),
    "at": 50,
    "attempts": 5,
    "body": b"{}",
    "by": 1.0,
    "checkpoint": "checkpoint",
    "clock": ManualClock(),
    "content_type": "application/json",
    "context": Context(),
    "created": 0,
    "delay": 1.0,
    "endpoint": "http://openstack.example.com",
    "event": ServerStopped(),
    "events": [ServerStopped()],
    "facts": ServerStopped(),
    "fault": "1",
    "flavor_id": "1",
    "folder": Path("folder"),
    "given": b"",
    "handler": print,
    "image_id": IMAGE,
    "key": "key",
    "keys": ["key"],
    "kind": "hang",
    "limit": 1,
    "metadata": {},
    "beginning": "075e",
    "most": 4,
    "most_bytes": 1,
    "named": SERVER,
    "name": "name",
    "new": "new",
    "now": NOW,
    "occurred_at": NOW,
    "old": "old",
    "one_id": SERVER,
    "other_id": SERVER,
    "out": "out",
    "path": "v2",
    "percent": 1,
    "position": 1,
    "positions": [1],
    "project": "openstack",
    "project_id": "openstack",
    "question": print,
    "reason": "reason",
    "request_id": "req-1",
    "route": "servers.show",
    "rule": "state",
    "seconds": 1.0,
    "server_id": SERVER,
    "sql": "SELECT 1",
    "state": "ACTIVE",
    "status": "ACTIVE",
    "step": "step",
    "text": "version:1",
    "updated": 0,
    "store": "memory:",
    "user_id": "fake",
    "view": "cloud.view.db",
    "what": ServerStopped(),
    "when": "before",
}
"""A right value by the name of its parameter."""

RIGHT_FOR: dict[tuple[str, str], Any] = {
    ("Servers.register", "command"): commands.RegisterServer(
        **{name: RIGHT[name] for name in ("server_id", "name", "project_id", "user_id")},
        **{name: RIGHT[name] for name in ("image_id", "flavor_id", "created", "updated")},
    ),
    ("Servers.create", "command"): CreateServer(name="a", image_id=IMAGE, flavor_id="1"),
    ("Servers.rebuild", "command"): RebuildServer(image_id=IMAGE),
    ("Servers.change", "command"): commands.ChangeServer(name="a"),
    ("Servers.command", "command"): commands.StopServer(),
    ("Scenario.when", "command"): commands.StopServer(),
    ("Verdict.when", "command"): commands.StopServer(),
    ("Supposed", "what"): commands.StopServer(),
    ("DeleteMetadata", "keys"): ("key",),
    ("RecordFacts", "events"): (ServerStopped(),),
    ("TokenFile", "path"): Path("tokens"),
    ("Faults.answer", "status"): 503,
}
"""A right value where another parameter of that name wants another."""


class Door(NamedTuple):
    """A function, a method of a class, or how a class is made."""

    thing: Any
    member: str

    @property
    def name(self) -> str:
        return f"{self.thing.__name__}.{self.member}".removesuffix(".__init__").removesuffix(".")

    @property
    def signature(self) -> inspect.Signature:
        """How it is called; a property that is set, by its setter."""
        if inspect.isclass(self.thing) and self.member == "__init__":
            return inspect.signature(self.thing)
        found = getattr(self.thing, self.member) if self.member else self.thing
        return inspect.signature(found.fset if isinstance(found, property) else found)

    @property
    def parameters(self) -> dict[str, bool]:
        """What it takes, and whether it must be given."""
        takes: dict[str, bool] = {}
        for one in self.signature.parameters.values():
            if one.name == "self" or _takes_anything(one):
                continue
            if one.kind is one.VAR_KEYWORD:
                takes |= dict.fromkeys(_named_besides(self.thing, self.member, one), False)
            else:
                takes[one.name] = one.default is one.empty and one.kind is not one.VAR_POSITIONAL
        return takes

    @property
    def rest(self) -> str | None:
        """The parameter that takes however many there are."""
        found = self.signature.parameters.values()
        return next((one.name for one in found if one.kind is one.VAR_POSITIONAL), None)

    def takes_none(self, parameter: str) -> bool:
        """Whether ``None`` may be given, which means nothing."""
        one = self.signature.parameters.get(parameter)
        return one is None or one.default is None or "None" in str(one.annotation)

    def right(self, parameter: str) -> Any:
        """What may be given."""
        return RIGHT_FOR.get((self.name.removeprefix("Async"), parameter), RIGHT.get(parameter))


def doors() -> Iterator[Door]:
    """Every public door that takes anything."""
    names = [(name, getattr(package, name)) for package in PACKAGES for name in package.__all__]
    seen: set[Any] = set()
    for name, thing in [*names, *((one.__name__, one) for one in BESIDES)]:
        is_ours = getattr(thing, "__module__", "").startswith("serverdomain")
        if not is_ours or not callable(thing) or id(thing) in seen or _is_no_door(name, thing):
            continue
        seen.add(id(thing))
        found = [Door(thing, "__init__" if inspect.isclass(thing) else "")]
        if inspect.isclass(thing):
            found = [] if name in NEVER_MADE else found
            found += [Door(thing, member) for member in dir(thing) if _is_method(thing, member)]
        yield from (door for door in found if door.parameters)


def _is_no_door(name: str, thing: Any) -> bool:
    if not inspect.isclass(thing):
        return False
    return name in GIVEN_BACK | OF_OTHERS or issubclass(thing, Exception | tuple)


def _is_method(thing: type, member: str) -> bool:
    found = inspect.getattr_static(thing, member)
    if member in OURS_TO_CALL or (member.startswith("_") and member != "__call__"):
        return False
    if isinstance(found, property):
        return found.fset is not None
    return inspect.isfunction(found) or isinstance(found, classmethod | staticmethod)


def _takes_anything(one: inspect.Parameter) -> bool:
    return one.annotation in ("object", "Any", "Request") or one.name == "members"


def _named_besides(thing: Any, member: str, one: inspect.Parameter) -> dict[str, Any]:
    function = inspect.unwrap(getattr(thing, member) if member else thing)
    hint = get_type_hints(function, include_extras=True)[one.name]
    assert get_origin(hint) is Unpack, f"{function} takes anything by name"
    return get_type_hints(get_args(hint)[0])
