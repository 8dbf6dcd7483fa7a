"""The rules in force: of those that match, the first strikes, as often as it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any, NamedTuple
from uuid import uuid4

from serverdomain.adapters.http.control.fault_rule import ANYBODY, FaultRule
from serverdomain.domain.server import Server
from serverdomain.errors import Conflict, NotFound
from serverdomain.simulation.rebuild_course import Trouble

MOST = 1000
"""The most rules that stand, those that have struck as often as they may among them."""


class Subject(NamedTuple):
    """What is known of the server that a call or a rebuild is about."""

    server_id: str | None = None
    name: str | None = None
    metadata: Mapping[str, str] = {}


@dataclass
class Standing:
    """A rule in force, with its id and how often it may still strike."""

    id: str
    rule: FaultRule
    left: int

    def as_json(self) -> dict[str, Any]:
        """What ``/control/faults`` shows of it."""
        return {"id": self.id, **self.rule.as_json(), "times": self.rule.times, "left": self.left}

    def matches(self, subject: Subject) -> bool:
        """Whether it may still strike, and is about this server."""
        rule = self.rule
        return (
            self.left > 0
            and (rule.server in (None, ANYBODY) or rule.server == subject.server_id)
            and (
                rule.name in (None, ANYBODY)
                or (subject.name is not None and fnmatchcase(subject.name, rule.name or ""))
            )
            and (rule.metadata or {}).items() <= subject.metadata.items()
        )


class FaultRules:
    """Rules in the order in which they were set. Threads may share them."""

    def __init__(self) -> None:
        self._standing: dict[str, Standing] = {}
        self._lock = Lock()

    def add(self, rule: FaultRule) -> Standing:
        """Put a rule in force. Raises `Conflict` where there are `MOST`."""
        standing = Standing(str(uuid4()), rule, rule.times)
        with self._lock:
            if len(self._standing) >= MOST:
                raise Conflict(f"{MOST} faults are set, more are not allowed: take some away")
            self._standing[standing.id] = standing
        return standing

    def all(self) -> list[Standing]:
        """Every rule, also those that may strike no more."""
        with self._lock:
            return list(self._standing.values())

    def remove(self, rule_id: str) -> None:
        """Take a rule away. Raises `NotFound`."""
        with self._lock:
            if self._standing.pop(rule_id, None) is None:
                raise NotFound(f"there is no fault {rule_id!r}")

    def clear(self) -> None:
        """Take all away."""
        with self._lock:
            self._standing.clear()

    def concern(self, route: str | None) -> bool:
        """Whether any rule is about calls of a route."""
        return any(one.rule.route == route for one in self.all()) if self._standing else False

    def strike(self, route: str | None, subject: Subject) -> Standing | None:
        """The rule that strikes a call, if one does."""
        return self._next(lambda rule: rule.route == route, subject)

    def trouble(self, server: Server) -> Trouble | None:
        """What goes wrong with a server's rebuild, for `SimulatedHypervisor`."""
        subject = Subject(server.id, server.name, server.metadata)
        standing = self._next(lambda rule: rule.rebuild is not None, subject)
        if standing is None or standing.rule.rebuild is None:
            return None
        return Trouble(standing.rule.rebuild, standing.rule.percent)

    def _next(self, wanted: Any, subject: Subject) -> Standing | None:
        with self._lock:
            for standing in self._standing.values():
                if wanted(standing.rule) and standing.matches(subject):
                    standing.left -= 1
                    return standing
        return None
