"""Given what happened, when somebody asks, then this happens: tests of rules in one sentence.

::

    given(registered(), ServerLocked("owner")).when(StopServer()).then_refused("lock")

    given(registered(name="old")).when(RenameServer(name="new")).then(ServerRenamed("new"))

No store is needed: the history is folded and the command decided as every store does it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from difflib import ndiff
from typing import Any, TypeAlias

from serverdomain.domain import moment
from serverdomain.domain.actor import Actor
from serverdomain.domain.commands import Command
from serverdomain.domain.decisions import decide
from serverdomain.domain.events import Address, Event, ServerRegistered
from serverdomain.domain.server import Server, fold
from serverdomain.domain.typed import typed
from serverdomain.errors import Conflict, NotFound, Refused, ServerdomainError

OWNER = Actor("fake", "openstack")
"""A member of the project whose server `registered` gives."""

ADMIN = Actor("admin", "admin", ("admin",))
"""An administrator, of another project."""

READER = Actor("fake", "openstack", ("reader",))
"""One of the server's project who may only read."""

Fact: TypeAlias = Event | tuple[Event, datetime]
"""An event, or an event and the aware datetime when it occurred."""

_START = moment.parse("2012-09-12T17:20:36Z")
_SECOND = 1_000_000
_DOCUMENTED: dict[str, Any] = {
    "server_id": "075e40fe-9f03-4652-ba8e-5f8e2547899a",
    "name": "foobar",
    "project_id": "openstack",
    "user_id": "fake",
    "image_id": "70a599e0-31e7-49b7-b260-868f441e862b",
    "flavor_id": "1",
    "state": "ACTIVE",
    "metadata": {"meta var": "meta val"},
    "addresses": {"private": (Address("192.168.0.3", 4),)},
    "access_ipv4": "1.2.3.4",
    "access_ipv6": "fe80::100",
    "host_id": "1e3da81662354c25560b7e5ea6d8123031f67168b6992f20bb84df69",
}


def registered(**members: Any) -> ServerRegistered:
    """The documented server becomes known, ACTIVE; ``members`` make it another one."""
    return ServerRegistered(**(_DOCUMENTED | members))


@typed
def given(*facts: Fact) -> Scenario:
    """A server to which these facts happened, in this order.

    A fact without a time occurred one second after the one before it; the first occurred at
    2012-09-12T17:20:36Z.
    """
    return Scenario(_timed(facts))


@typed
class Scenario:
    """A server's history, and what may be said about it."""

    def __init__(self, history: tuple[tuple[Event, int], ...]) -> None:
        self._history = history

    @property
    def server(self) -> Server | None:
        """The server as its history has it."""
        return fold(self._history)

    def when(
        self,
        command: Command,
        *,
        actor: Actor = OWNER,
        request_id: str = "req-1",
        at: datetime | None = None,
    ) -> Verdict:
        """Somebody asks for something, one second after the last fact or ``at`` a time."""
        try:
            events = decide(self.server, command, actor, request_id)
        except ServerdomainError as no:
            return Verdict(self._history, (), no)
        when = _next(self._history) if at is None else moment.to_micros(at, "at")
        return Verdict(self._history + tuple((event, when) for event in events), events, None)

    def then_server(self, **members: Any) -> Scenario:
        """The server now has these members (those of `Server`, ``status`` among them)."""
        __tracebackhide__ = True
        server = self.server
        if server is None:
            raise AssertionError("the server is not there")
        are = {name: getattr(server, name) for name in members}
        if are != members:
            raise AssertionError(
                _difference(
                    "the server is another one",
                    (f"{name}={value!r}" for name, value in members.items()),
                    (f"{name}={value!r}" for name, value in are.items()),
                )
            )
        return self

    def then_no_server(self) -> Scenario:
        """The server is not there: it has not begun, or is deleted."""
        __tracebackhide__ = True
        server = self.server
        if server is not None and not server.deleted:
            raise AssertionError(f"the server is there: {server}")
        return self


@typed
class Verdict(Scenario):
    """What came of a command; the scenario goes on from there, with another `when` if you like."""

    def __init__(
        self,
        history: tuple[tuple[Event, int], ...],
        events: tuple[Event, ...],
        error: ServerdomainError | None,
    ) -> None:
        super().__init__(history)
        self.events = events
        self.error = error

    def then(self, *events: Event) -> Verdict:
        """Exactly these events happened, in this order."""
        __tracebackhide__ = True
        if self.error is not None:
            raise AssertionError(f"expected events, but {self._came}")
        if self.events != events:
            raise AssertionError(
                _difference("other events happened", map(repr, events), map(repr, self.events))
            )
        return self

    def then_nothing(self) -> Verdict:
        """It was allowed and changed nothing."""
        __tracebackhide__ = True
        return self.then()

    def then_refused(self, rule: str, *words: str) -> Verdict:
        """The rule of this name said no, and its message has these words."""
        __tracebackhide__ = True
        if not isinstance(self.error, Refused) or self.error.rule != rule:
            raise AssertionError(f"expected a refusal by the rule {rule!r}, but {self._came}")
        return self._said(words)

    def then_conflict(self, *words: str) -> Verdict:
        """The state is not the one that the command speaks to; the message has these words."""
        __tracebackhide__ = True
        if not isinstance(self.error, Conflict):
            raise AssertionError(f"expected a conflict, but {self._came}")
        return self._said(words)

    def then_not_found(self, *words: str) -> Verdict:
        """There is no such server or metadata key; the message has these words."""
        __tracebackhide__ = True
        if not isinstance(self.error, NotFound):
            raise AssertionError(f"expected nothing found, but {self._came}")
        return self._said(words)

    def _said(self, words: tuple[str, ...]) -> Verdict:
        __tracebackhide__ = True
        missing = [word for word in words if word not in str(self.error)]
        if missing:
            raise AssertionError(f"{missing} not in: {self.error}")
        return self

    @property
    def _came(self) -> str:
        if isinstance(self.error, Refused):
            return f"the rule {self.error.rule!r} refused: {self.error}"
        if self.error is not None:
            return f"{type(self.error).__name__} came: {self.error}"
        if not self.events:
            return "it was allowed and changed nothing"
        return "\n  ".join(["these events happened:", *map(repr, self.events)])


def _timed(facts: tuple[Fact, ...]) -> tuple[tuple[Event, int], ...]:
    history: tuple[tuple[Event, int], ...] = ()
    for fact in facts:
        event, at = fact if isinstance(fact, tuple) else (fact, None)
        history += ((event, _next(history) if at is None else moment.to_micros(at, "at")),)
    return history


def _next(history: tuple[tuple[Event, int], ...]) -> int:
    return history[-1][1] + _SECOND if history else _START


def _difference(what: str, expected: Iterable[str], came: Iterable[str]) -> str:
    lines = (line.rstrip("\n") for line in ndiff(list(expected), list(came)))
    return "\n".join([f"{what} (- expected, + came):", *lines])
