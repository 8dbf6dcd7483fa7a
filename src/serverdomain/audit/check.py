"""Check whether log and views keep what they promise, with a finding for each thing that is wrong.

A check only reads, on connections that cannot write, so it can look at a damaged log. It is no
proof: someone who has the file and knows how can change it and leave all of this in order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from itertools import count
from pathlib import Path

from serverdomain.audit import check_log, check_timeline, check_times, check_view
from serverdomain.domain.progress import Progress, silent
from serverdomain.errors import StoreError
from serverdomain.projections.saved_bookmark import is_name
from serverdomain.projections.server_rows import SERVERS
from serverdomain.projections.timeline_rows import TIMELINE
from serverdomain.store.finding import Finding
from serverdomain.store.log import Examination
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.examination import read_only
from serverdomain.store.sqlite.place import Place

_EVERY = 5_000
"""Events between two reports of progress."""

Part = Callable[[], Iterator[Finding]]
"""A part of a check, which ends early if what it reads is too damaged."""


def check(
    log: AbstractContextManager[Examination],
    caches: Path | None,
    view: str | Path | None = None,
    progress: Progress = silent,
    *,
    now: int,
) -> Iterator[Finding]:
    """Check a log and its views, if there are any, by a clock that says it is ``now``.

    ``view`` is the view's file, by default the one beside ``caches``. ``progress`` is told how many
    events have been read, and how many there are to read. Raises what opening the log does.
    """
    beside = Place(caches).beside
    place = beside(SERVERS.what) if view is None else places.from_path(view, SERVERS.what)
    with ExitStack() as stack:
        opened: list[sqlite3.Connection | None] = []
        # Before the log, so that they cannot be ahead of it.
        for kept, at in ((SERVERS, place), (TIMELINE, beside(TIMELINE.what))):
            rows = None
            try:
                if at.path is not None and places.holds(at.path, kept.application_id, kept.what):
                    rows = stack.enter_context(read_only(at))
            except StoreError as wrong:
                yield Finding(check_view.kind(kept), str(wrong))
            opened.append(rows)
        yield from findings(stack.enter_context(log), *opened, progress=progress, now=now)


def findings(
    log: Examination,
    view: sqlite3.Connection | None,
    timeline: sqlite3.Connection | None = None,
    *,
    progress: Progress = silent,
    now: int | None = None,
) -> Iterator[Finding]:
    """Check a log and the rows of its views, if it has them, each as of one moment.

    A view's moment must not be later than the log's. Without a ``now`` no clock is looked at.
    """
    passes = 1 + (view is not None) + 2 * (timeline is not None)
    try:
        steps = max(passes * log.count(), 1)
    except (StoreError, sqlite3.Error):
        steps = 1
    step = _stepping(steps, progress)
    parts: list[Part] = [
        log.findings,
        lambda: _bookmarks(log),
        lambda: check_log.events(log, step),
        lambda: check_log.commands(log),
        *([] if now is None else [lambda: check_times.ahead(log, now)]),
        *([] if view is None else _of_view(log, view, step)),
        *([] if timeline is None else _of_timeline(log, timeline, step)),
    ]
    for part in parts:
        try:
            yield from part()
        except (StoreError, sqlite3.Error, TypeError, ValueError) as error:
            # A file that somebody has edited may hold anything.
            yield Finding("file", f"what follows cannot be read, and is not checked: {error}")
    progress(steps, steps)


def _of_view(log: Examination, view: sqlite3.Connection, step: Callable[[], None]) -> list[Part]:
    return [lambda: check_view.integrity(view, SERVERS), lambda: check_view.rows(log, view, step)]


def _of_timeline(
    log: Examination, timeline: sqlite3.Connection, step: Callable[[], None]
) -> list[Part]:
    return [
        lambda: check_view.integrity(timeline, TIMELINE),
        lambda: check_timeline.rows(log, timeline, step),
    ]


def _stepping(steps: int, progress: Progress) -> Callable[[], None]:
    """Counts the events that are read, for the progress; each is read more than once."""
    numbers = count(1)

    def step() -> None:
        done = next(numbers)
        if done % _EVERY == 0:
            progress(min(done, steps), steps)

    return step


def _bookmarks(log: Examination) -> Iterator[Finding]:
    head = log.head()
    for place in log.bookmarks():
        if not is_name(place.name):
            yield Finding("reaction", f"{place.name!a} is no name that a reaction can have")
        try:
            (place.why or "").encode()
        except UnicodeEncodeError:
            yield Finding("reaction", f"why {place.name} stopped cannot be read: it is no UTF-8")
        for does, position in (("stands", place.position), ("stopped", place.stopped_at)):
            if position is not None and not 0 <= position <= head:
                yield Finding(
                    "reaction",
                    f"{place.name} {does} at position {position}, the log ends at {head}",
                )
