"""Messages taken into a log, thousands a transaction, and counted: none is dropped in silence.

Each is a command under a request id made from its identity. So one that comes again, from another
file, another process or after an interruption, happens once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from msgspec import Struct, field

from serverdomain.adapters.incoming.files import Told
from serverdomain.adapters.incoming.message import Reported
from serverdomain.adapters.incoming.rejects import Rejects
from serverdomain.domain import moment
from serverdomain.errors import Refused, RequestIdTaken, ServerdomainError, StoreError
from serverdomain.servers import Servers
from serverdomain.servers.commanding import system_clock
from serverdomain.store.accept import require_not_ahead
from serverdomain.store.log import Log

MOST_BYTES = 16 * 1024 * 1024
"""What waits to be written holds as many bytes of messages, at most."""

MOST_TYPES = 1_000
"""Types that are counted by their names, as far as those are short."""

OTHERS = "any other type"
"""What those are counted as that come when there are so many."""

_LONGEST_TYPE = 255


class Counts(Struct):
    """What became of the messages that were read: ``read`` is the sum of the rest."""

    imported: int = 0
    repeated: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    rejected: int = 0

    @property
    def read(self) -> int:
        """All of them."""
        return self.imported + self.repeated + self.passed_over.total() + self.rejected

    def pass_over(self, kind: str) -> None:
        """Count one of a type."""
        kind = kind[:_LONGEST_TYPE]
        is_counted = kind in self.passed_over or len(self.passed_over) < MOST_TYPES
        self.passed_over[kind if is_counted else OTHERS] += 1

    def as_json(self) -> dict[str, Any]:
        """The counts as plain values, as ``--json`` prints them."""
        return {
            "read": self.read,
            "imported": self.imported,
            "repeated": self.repeated,
            "passed_over": dict(sorted(self.passed_over.items())),
            "rejected": self.rejected,
        }


class Taker(Protocol):
    """Takes what messages became, and says what came of them."""

    counts: Counts

    def take(self, reported: Reported, place: str, raw: bytes) -> None:
        """Take the facts of one message; ``place`` and ``raw`` say which it was."""

    def write(self) -> None:
        """Write what waits."""


class Taking:
    """Writes the facts of messages into a log."""

    def __init__(self, servers: Servers, rejects: Rejects) -> None:
        self.counts = Counts()
        self._rejects = rejects
        self._bulk = servers.bulk(self._failed)
        self._waiting: dict[str, tuple[str, bytes]] = {}
        self._bytes = 0
        self._taken = 0
        self._known = 0

    def take(self, reported: Reported, place: str, raw: bytes) -> None:
        """Leave the facts of one message to be written."""
        self._waiting[reported.context.request_id] = (place, raw)
        self._bytes += len(raw)
        self._bulk.take_in(
            reported.server_id, reported.events, reported.context, reported.occurred_at, len(raw)
        )
        if self._bytes > MOST_BYTES:
            self.write()
        elif self._bulk.recorded + self._bulk.repeated + self._bulk.refused != self._taken:
            self._written()

    def write(self) -> None:
        """Write what waits."""
        self._bulk.write()
        self._written()

    def _written(self) -> None:
        bulk, counts = self._bulk, self.counts
        self._taken = bulk.recorded + bulk.repeated + bulk.refused
        counts.imported, counts.repeated = bulk.recorded, bulk.repeated
        counts.repeated += self._known
        self._waiting.clear()
        self._bytes = 0

    def _failed(self, request_id: str, error: ServerdomainError) -> None:
        if isinstance(error, StoreError):
            raise error
        if isinstance(error, RequestIdTaken):
            # The message came before, and another release made something else of it.
            self._known += 1
            return
        self.counts.rejected += 1
        self._rejects.take(*self._waiting[request_id], str(error))


class Trying:
    """Says what would come of messages, and writes nothing."""

    def __init__(self, log: Log | None, rejects: Rejects) -> None:
        self.counts = Counts()
        self._log = log
        self._rejects = rejects
        self._met: set[int] = set()
        self._asked: list[str] = []

    def take(self, reported: Reported, place: str, raw: bytes) -> None:
        """Count one message."""
        request_id = reported.context.request_id
        # A number for each, not its text: a dry run remembers all that it met.
        if hash(request_id) in self._met:
            self.counts.repeated += 1
            return
        try:
            require_not_ahead(reported.occurred_at, moment.to_micros(system_clock()))
        except Refused as refused:
            self.counts.rejected += 1
            self._rejects.take(place, raw, str(refused))
            return
        self._met.add(hash(request_id))
        self._asked.append(request_id)
        if len(self._asked) >= 1_000:
            self.write()

    def write(self) -> None:
        """Ask the log which of them it knows."""
        known = 0
        if self._log is not None and self._asked:
            with self._log.reading() as log:
                known = sum(log.command(one) is not None for one in self._asked)
        self.counts.repeated += known
        self.counts.imported += len(self._asked) - known
        self._asked.clear()


def take_in(all_told: Iterable[Told], taker: Taker, rejects: Rejects) -> Iterator[Counts]:
    """Take in what is told; gives the counts after each part."""
    counts = taker.counts
    for place, raw, messages, wrong in all_told:
        for one in messages:
            if isinstance(one, Reported):
                taker.take(one, place, raw)
            else:
                counts.pass_over(one.type)
        if wrong is not None:
            counts.rejected += 1
            rejects.take(place, raw, wrong)
        yield counts
