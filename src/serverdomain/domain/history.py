"""A server's history: its facts in order of occurrence, and the server that they lead to.

It grows. A fact at its end costs one step of the fold, a late one takes its place among the others.
A history may begin behind a server that was folded before; the facts up to it are then not held,
and a fact that belongs among them makes the history `lacks_past`: it must be read anew.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from serverdomain.domain.events import Event
from serverdomain.domain.server import Server, evolve


class Fact(Struct, frozen=True, order=True, gc=False):
    """An event of a server, with what the fold needs; facts have a history's order.

    ``occurred_at`` is in microseconds since 1970 UTC. ``position``, the place in the whole log,
    decides among equal times; ``version`` counts in the server's own stream, from 1.
    """

    occurred_at: int
    position: int
    server_id: str
    version: int
    event: Event


class History:
    """The facts of one server in order of occurrence, behind the server ``base`` if one is given.

    ``version`` is the highest version among them.
    """

    __slots__ = ("_base", "_first_position", "_folded", "_server", "facts", "lacks_past", "version")

    def __init__(self, facts: Iterable[Fact] = (), base: Server | None = None) -> None:
        self._base = self._server = base
        self._folded = 0
        self.facts = sorted(facts)
        self.version = 0 if base is None else base.version
        self._first_position = 0 if base is None else base.first_position
        if self.facts:
            self.version = max(fact.version for fact in self.facts)
            if base is None:
                self._first_position = min(fact.position for fact in self.facts)
        self.lacks_past = False
        """Whether facts belong to this history that were neither given nor are in its base."""

    @property
    def server(self) -> Server | None:
        """The server after all of its facts; ``None`` before its beginning."""
        if self._folded < len(self.facts):
            server = self._server
            for fact in self.facts[self._folded :]:
                server = evolve(server, fact.event, fact.occurred_at)
            self._server = server and replace(
                server, version=self.version, first_position=self._first_position
            )
            self._folded = len(self.facts)
        return self._server

    @property
    def latest(self) -> int | None:
        """When its latest fact occurred, in microseconds since 1970 UTC."""
        if self.facts:
            return self.facts[-1].occurred_at
        return None if self._base is None else self._base.updated_micros

    def take(self, fact: Fact) -> bool:
        """Take the next fact of the server's stream, as `take_all` does."""
        return self.take_all([fact])

    def take_all(self, facts: Iterable[Fact]) -> bool:
        """Take the next facts of the server's stream; whether all of them came at the end.

        A late one takes its place. Where that lies among facts that are not held here, or others
        were missed in between, the history `lacks_past` from then on, and takes no more.
        """
        held, version, latest = self.facts, self.version, self.latest
        all_at_end = not self.lacks_past
        for fact in facts if all_at_end else ():
            if fact.version != version + 1:
                self.lacks_past = True
                return False
            if not version:
                self._first_position = fact.position
            self.version = version = fact.version
            if latest is None or fact.occurred_at >= latest:
                latest = fact.occurred_at
                held.append(fact)
                continue
            all_at_end = False
            if self._base is not None and fact.occurred_at < self._base.updated_micros:
                self.lacks_past = True
                return False
            insort(held, fact)
            self._server, self._folded = self._base, 0
        return all_at_end
