"""What if: a server's history without a request, or with another one, decided again.

The same `decide` and `evolve` decide each request on what was known when the log recorded it. The
store is read once, and never written. Facts that came by ``record`` are taken as they are. A
command that changed nothing left no row, so it is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from serverdomain.audit.past_requests import PastRequest, past_requests
from serverdomain.audit.rebuild_times import RebuildTime, rebuild_times
from serverdomain.audit.supposed import (
    CommandOrFacts,
    Entry,
    Replacements,
    RequestOrPosition,
    Supposed,
    suppose,
)
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.decisions import decide
from serverdomain.domain.document import Change, changes
from serverdomain.domain.history import Fact, History
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.server import Server, is_there
from serverdomain.errors import Conflict, NotFound, Refused
from serverdomain.store.recorded import RecordedEvent

_EVERY = 100
"""Requests between two reports of progress."""


class RequestOutcome(Struct, frozen=True):
    """The outcome of a request: its ``events``, or why there are none.

    ``outcome`` is ``"done"``, ``"nothing"`` (it changed nothing), ``"refused"`` (by ``rule``),
    ``"conflict"`` (the server is in another state, or is not there) or ``"repeated"`` (an earlier
    request has the same id).
    """

    outcome: str
    events: tuple[e.Event, ...] = ()
    rule: str | None = None
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain values, its events by their names."""
        names = [type(event).__name__ for event in self.events]
        return {"outcome": self.outcome, "events": names, "rule": self.rule, "why": self.why}


class RequestChange(Struct, frozen=True):
    """A request with another outcome than before; ``None`` if it was not, or would not be, asked.

    ``position`` is that of its first event in the log, if it has one.
    """

    request_id: str
    kind: str
    occurred_at: datetime
    position: int | None
    was: RequestOutcome | None
    would_be: RequestOutcome | None

    def as_json(self) -> dict[str, Any]:
        """The difference as plain values."""
        return {
            "request_id": self.request_id,
            "kind": self.kind,
            "occurred_at": moment.exact(moment.to_micros(self.occurred_at)),
            "position": self.position,
            "was": self.was and self.was.as_json(),
            "would_be": self.would_be and self.would_be.as_json(),
        }


class WhatIf(Struct, frozen=True, kw_only=True):
    """A server as it is and as it would be, and what differs in its history.

    ``changes`` lead from the one document to the other. ``rebuilds`` are pairs: a rebuild as it
    was, and the one with the same id as it would be; of one that facts ask for again, each time.
    """

    server_id: str
    was: Server | None
    would_be: Server | None
    changes: tuple[Change, ...]
    requests: tuple[RequestChange, ...]
    rebuilds: tuple[tuple[RebuildTime | None, RebuildTime | None], ...]

    def as_json(self) -> dict[str, Any]:
        """The answer as plain values, as ``what-if --json`` shows it."""
        return {
            "server_id": self.server_id,
            "status": {"was": _status(self.was), "would_be": _status(self.would_be)},
            "changes": [
                {"path": change.path, "from": change.before, "to": change.after}
                for change in self.changes
            ],
            "requests": [one.as_json() for one in self.requests],
            "rebuilds": [
                {
                    "rebuild_id": (was or would_be).rebuild_id,  # type: ignore[union-attr]
                    "was": was and was.as_json(),
                    "would_be": would_be and would_be.as_json(),
                }
                for was, would_be in self.rebuilds
            ],
        }


def what_if(
    server_id: str,
    recorded: Iterable[RecordedEvent],
    *,
    drop: Iterable[RequestOrPosition] = (),
    insert: Iterable[Supposed] = (),
    replace: Mapping[RequestOrPosition, CommandOrFacts] | None = None,
    progress: Progress = silent,
) -> WhatIf:
    """Decide a server's history again, with requests or events dropped, inserted or replaced.

    Raises `NotFound` for a request or event that is not in it.
    """
    history = past_requests(recorded)
    first = min((one.positions[0] for one in history if one.refusal is None), default=1)
    real, supposed = _Course(server_id, first), _Course(server_id, first)
    differences = []
    entries = suppose(server_id, history, drop, insert, replace or {})
    for entry in _telling(entries, progress):
        was = would_be = None
        if entry.was is not None:
            was = _as_it_was(entry.was)
            real.take(entry.was, was.events)
        if entry.supposed is not None:
            would_be = supposed.ask(entry.supposed, entry.replacements)
        request = entry.supposed or entry.was
        if request is not None and not _same(was, would_be):
            differences.append(_change(request, was, would_be))
    was_server, would_be_server = real.history.server, supposed.history.server
    return WhatIf(
        server_id=server_id,
        was=was_server,
        would_be=would_be_server,
        changes=changes(was_server, would_be_server),
        requests=tuple(differences),
        rebuilds=_paired(rebuild_times(real.history.facts), rebuild_times(supposed.history.facts)),
    )


def _telling(entries: Sequence[Entry], progress: Progress) -> Iterator[Entry]:
    for done, entry in enumerate(entries):
        if done % _EVERY == 0:
            progress(done, len(entries))
        yield entry
    progress(len(entries), len(entries))


class _Course:
    """One course of a server's history, which grows request by request.

    Its first event stands where the server's own does, ``first``; the others right behind it.
    """

    def __init__(self, server_id: str, first: int) -> None:
        self.history = History()
        self._first = first
        self._server_id = server_id
        self._taken: set[str] = set()

    def ask(self, request: PastRequest, replacements: Replacements) -> RequestOutcome:
        if request.request_id in self._taken:
            return RequestOutcome("repeated")
        server = self.history.server
        try:
            events = decide(server, request.command, request.actor, request.request_id)
        except Refused as no:
            return RequestOutcome("refused", (), no.rule, str(no))
        except (Conflict, NotFound) as no:
            return RequestOutcome("conflict", (), None, str(no))
        for event, others in replacements:
            if event in events:
                place = events.index(event)
                events = (*events[:place], *others, *events[place + 1 :])
        self.take(request, events)
        return RequestOutcome("done" if events else "nothing", events)

    def take(self, request: PastRequest, events: tuple[e.Event, ...]) -> None:
        if events:
            self._taken.add(request.request_id)
        for event in events:
            version = self.history.version + 1
            position = self._first + self.history.version
            self.history.take(Fact(request.occurred_at, position, self._server_id, version, event))


def _change(
    request: PastRequest, was: RequestOutcome | None, would_be: RequestOutcome | None
) -> RequestChange:
    position = request.positions[0] if request.positions else None
    at = moment.to_datetime(request.occurred_at)
    return RequestChange(request.request_id, request.kind, at, position, was, would_be)


def _as_it_was(request: PastRequest) -> RequestOutcome:
    if request.refusal is not None:
        return RequestOutcome("refused", (), request.refusal.rule, request.refusal.why)
    return RequestOutcome("done", request.events)


def _same(was: RequestOutcome | None, would_be: RequestOutcome | None) -> bool:
    # Not by why: a later release may word a refusal differently.
    if was is None or would_be is None:
        return was is would_be
    return (was.outcome, was.events, was.rule) == (would_be.outcome, would_be.events, would_be.rule)


def _paired(
    was: list[RebuildTime], would_be: list[RebuildTime]
) -> tuple[tuple[RebuildTime | None, RebuildTime | None], ...]:
    first, second = _numbered(was), _numbered(would_be)
    return tuple((first.get(name), second.get(name)) for name in first | second)


def _numbered(times: list[RebuildTime]) -> dict[tuple[str, int], RebuildTime]:
    counts: Counter[str] = Counter()
    numbered = {}
    for one in times:
        counts[one.rebuild_id] += 1
        numbered[one.rebuild_id, counts[one.rebuild_id]] = one
    return numbered


def _status(server: Server | None) -> str | None:
    return server.status if is_there(server) else None
