"""How a view follows its log: page by page to the head, or from zero beside its old rows.

A page is read and folded without a lock. Rows and position are written in one transaction, if the
generation is still where it was when it was read. So two processes never apply an event twice, a
kill loses a whole page or nothing, and other writers seldom wait.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Any, NamedTuple

from serverdomain.domain.progress import Progress
from serverdomain.errors import StoreError
from serverdomain.projections import generations
from serverdomain.projections.generations import Generation
from serverdomain.projections.view_file import ViewFile
from serverdomain.store.log import Log, Reading

PAGE = 2_000
"""Events in a page at most, by default."""

_logger = logging.getLogger("serverdomain")


class Advance(NamedTuple):
    """What the next page changes in a generation's rows, the position it leads to, and the head.

    ``changes`` are whatever its `KeptRows` make of a page; ``stopped_by`` says why the next event
    cannot be read, if it cannot.
    """

    seen: Generation
    changes: Any
    position: int
    row_hash: str | None
    head: int
    stopped_by: StoreError | None

    @property
    def is_last(self) -> bool:
        """Whether nothing after it can be read now."""
        return self.position >= self.head or self.stopped_by is not None


def catch_up(log: Log, view: ViewFile, page: int = PAGE, progress: Progress | None = None) -> None:
    """Bring the live rows to the head of the log, ``page`` events at a time.

    ``progress`` is called with the position reached and the head, after each page.
    """
    while True:
        with view.reading() as rows:
            live = generations.live(rows, view.kept)
            advance = next_advance(log, rows, live, page)
        if advance is None:
            _logger.warning(
                "%s stands at position %s of a log that has another row there, as one put back "
                "from a backup has: replayed from zero",
                view.place,
                live.position,
            )
            replay(log, view, page=page)
            continue
        if advance.position > live.position:
            with view.writing() as connection:
                if not take(connection, advance):
                    continue
        if progress is not None:
            progress(advance.position, max(advance.head, advance.position))
        if advance.stopped_by is not None:
            raise advance.stopped_by
        if advance.is_last:
            return


def replay(log: Log, view: ViewFile, page: int = PAGE, progress: Progress | None = None) -> None:
    """Fill a new generation beside the live one, which is read and followed meanwhile; then switch.

    Ends early if a replay that began later switched first: its rows are as good. Stops at an event
    of a newer release, and shows the rows so far unless the live ones are further.
    """
    with view.writing() as connection:
        number = generations.begin(connection, view.kept)
    switched = False
    while not switched:
        with view.reading() as rows:
            ours = generations.find(rows, number, view.kept)
            advance = ours and next_advance(log, rows, ours, page)
        if ours is None:
            return
        if advance is None:  # The log was put back from a backup meanwhile.
            return replay(log, view, page, progress)
        with view.writing() as connection:
            # In the transaction of the last page: the old rows, which are still followed, must not
            # be ahead of those that replace them.
            if take(connection, advance) and advance.is_last:
                live = generations.live(connection, view.kept)
                with log.reading() as reading:
                    switched = advance.position >= live.position or not follows(reading, live)
                if switched:
                    generations.switch(connection, number, view.kept)
        if progress is not None:
            progress(advance.position, max(advance.head, advance.position))
        if advance.stopped_by is not None:
            raise advance.stopped_by


def follows(log: Reading, generation: Generation) -> bool:
    """Whether the log still has the row at a generation's position."""
    if generation.position == 0:
        return True
    found = log.row_hash(generation.position)
    return found is not None and found == generation.row_hash


def next_advance(
    log: Log, rows: sqlite3.Connection, generation: Generation, page: int
) -> Advance | None:
    """The next advance of a generation; ``None`` if the log is no longer the one it followed.

    ``rows`` shows the view as it was when the generation was read.
    """
    kept = generation.kept
    with log.reading() as reading:
        if not follows(reading, generation):
            return None
        head = reading.head()
        read = kept.page(reading, generation.position, page)
        row_hash = reading.row_hash(read.last)
    changes = kept.changes(log, rows, generation.table, read)
    return Advance(generation, changes, read.last, row_hash, head, read.stopped_by)


def take(connection: sqlite3.Connection, advance: Advance) -> bool:
    """Write an advance in the caller's transaction; False if the generation has moved since."""
    if not generations.move(connection, advance.seen, advance.position, advance.row_hash):
        return False
    kept, table = advance.seen.kept, advance.seen.table
    kept.write(connection, table, advance.changes)
    if advance.is_last:
        kept.settle(connection, table)
    return True
