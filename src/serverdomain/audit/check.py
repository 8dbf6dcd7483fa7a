"""Check whether log and view keep what they promise, with a finding for each thing that is wrong.

A check only reads, on connections that cannot write, so it can look at a damaged log. It is no
proof: someone who has the file and knows how can change it and leave all of this in order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from itertools import count
from pathlib import Path

from serverdomain.audit import check_log, check_times, check_view
from serverdomain.domain.progress import Progress, silent
from serverdomain.errors import StoreError
from serverdomain.projections.server_rows import SERVERS
from serverdomain.store.finding import Finding
from serverdomain.store.log import Examination
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.examination import read_only
from serverdomain.store.sqlite.place import Place

_EVERY = 5_000
"""Events between two reports of progress."""


def check(
    log: AbstractContextManager[Examination],
    caches: Path | None,
    view: str | Path | None = None,
    progress: Progress = silent,
    *,
    now: int,
) -> Iterator[Finding]:
    """Check a log and its view, if there is one, by a clock that says it is ``now``.

    ``view`` is the view's file, by default the one beside ``caches``. ``progress`` is told how many
    events have been read, and how many there are to read. Raises what opening the log does.
    """
    place = Place(caches).beside(SERVERS.what) if view is None else places.from_path(view, "view")
    with ExitStack() as stack:
        rows = None
        try:
            if place.path is not None and places.holds(
                place.path, SERVERS.application_id, SERVERS.what
            ):
                # Before the log, so that it cannot be ahead of it.
                rows = stack.enter_context(read_only(place))
        except StoreError as wrong:
            yield Finding("view", str(wrong))
        yield from findings(stack.enter_context(log), rows, progress, now=now)


def findings(
    log: Examination,
    view: sqlite3.Connection | None,
    progress: Progress = silent,
    *,
    now: int | None = None,
) -> Iterator[Finding]:
    """Check a log and the rows of its view, if it has one, each as of one moment.

    The view's moment must not be later than the log's. Without a ``now`` no clock is looked at.
    """
    try:
        steps = max(2 * log.count(), 1)
    except (StoreError, sqlite3.Error):
        steps = 1
    step = _stepping(steps, progress)
    parts: list[Callable[[], Iterator[Finding]]] = [
        log.findings,
        lambda: _bookmarks(log),
        lambda: check_log.events(log, step),
        lambda: check_log.commands(log),
    ]
    if now is not None:
        clock = now
        parts.append(lambda: check_times.ahead(log, clock))
    if view is not None:
        rows = view
        parts += [
            lambda: check_view.integrity(rows),
            lambda: check_view.rows(log, rows, step),
        ]
    for part in parts:
        try:
            yield from part()
        except (StoreError, sqlite3.Error, TypeError, ValueError) as error:
            # A file that somebody has edited may hold anything.
            yield Finding("file", f"what follows cannot be read, and is not checked: {error}")
    progress(steps, steps)


def _stepping(steps: int, progress: Progress) -> Callable[[], None]:
    """Counts the events that are read, for the progress; each is read twice."""
    numbers = count(1)

    def step() -> None:
        done = next(numbers)
        if done % _EVERY == 0:
            progress(min(done, steps), steps)

    return step


def _bookmarks(log: Examination) -> Iterator[Finding]:
    head = log.head()
    for place in log.bookmarks():
        if place.position > head:
            yield Finding(
                "reaction",
                f"{place.name} stands at position {place.position}, the log ends at {head}",
            )
