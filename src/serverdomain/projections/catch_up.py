"""A view to the head of its log, a page of events at a time.

A page is read and folded without a lock. Rows and position are written in one transaction, if the
generation still stands where it was seen: so two processes never apply one event twice, a kill
loses a page whole, and whoever else writes seldom waits.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Any, NamedTuple

from serverdomain.errors import UnknownEvent
from serverdomain.projections import feed, generations, replay
from serverdomain.projections.generations import Generation
from serverdomain.projections.view_file import ViewFile
from serverdomain.store import queries
from serverdomain.store.sqlite import SQLiteStore

_log = logging.getLogger("serverdomain")


class Step(NamedTuple):
    """What the next page does to a generation's rows, the position that it leads to, and the head.

    ``changes`` are its `KeptRows`' own; ``stopped_by`` is the event behind that position which this
    release may not pass, if any.
    """

    seen: Generation
    changes: Any
    position: int
    row_hash: str | None
    head: int
    stopped_by: UnknownEvent | None

    @property
    def is_last(self) -> bool:
        """Whether there is nothing behind it that could be read now."""
        return self.position >= self.head or self.stopped_by is not None


def catch_up(
    store: SQLiteStore,
    view: ViewFile,
    page: int = feed.PAGE,
    progress: replay.Progress | None = None,
) -> None:
    """Follow the log to its head with the rows that are shown, ``page`` events at a time."""
    while True:
        with view.reading() as rows:
            live = generations.live(rows, view.kept)
            step = next_step(store, rows, live, page)
        if step is None:
            _log.warning(
                "%s stands at position %s of a log that has another row there, as one put back "
                "from a backup has: replayed from zero",
                view.place,
                live.position,
            )
            replay.replay(store, view, page=page)
            continue
        if step.position > live.position:
            with view.writing() as connection:
                if not take(connection, step):
                    continue
        if progress is not None:
            progress(step.position, max(step.head, step.position))
        if step.stopped_by is not None:
            raise step.stopped_by
        if step.is_last:
            return


def follows(log: sqlite3.Connection, generation: Generation) -> bool:
    """Whether the log still has the row on which a generation stands."""
    if generation.position == 0:
        return True
    found = queries.row_hash(log, generation.position)
    return found is not None and found == generation.row_hash


def next_step(
    store: SQLiteStore, rows: sqlite3.Connection, generation: Generation, page: int
) -> Step | None:
    """What comes next for a generation; ``None`` where the log is not the one that it follows.

    ``rows`` shows the view as it was when the generation was read.
    """
    with store.connections.reading() as log:
        if not follows(log, generation):
            return None
        head = queries.head(log)
        kept = generation.kept
        read = kept.page(log, generation.position, page)
        row_hash = queries.row_hash(log, read.last)
    changes = kept.changes(store, rows, generation.table, read)
    return Step(generation, changes, read.last, row_hash, head, read.stopped_by)


def take(connection: sqlite3.Connection, step: Step) -> bool:
    """Take a step, in the caller's transaction; False where the generation has moved since."""
    if not generations.move(connection, step.seen, step.position, step.row_hash):
        return False
    kept, table = step.seen.kept, step.seen.table
    kept.write(connection, table, step.changes)
    if step.is_last:
        kept.settle(connection, table)
    return True
