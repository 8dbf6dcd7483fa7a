"""How a view follows its log: page by page to the head, or from zero beside its old rows.

Pages are read and folded without a lock; whoever is far behind folds many before they are written,
so that a server's row is written once for all of them. Rows and position are written in one
transaction, if the generation is still where it was when it was read. So two processes never apply
an event twice, a kill loses all of these pages or nothing, and other writers seldom wait.
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

TOGETHER = 64
"""Pages that are written together at most; `KeptRows.weight` bounds them, too."""

WEIGHT = 16 * 1024 * 1024
"""What changes weigh at most, in bytes, before they are written; a page more is taken whole."""

_logger = logging.getLogger("serverdomain")


class Advance(NamedTuple):
    """What the next pages change in a generation's rows, the position they lead to, and the head.

    ``changes`` are whatever its `KeptRows` make of them; ``stopped_by`` says why the next event
    cannot be read, if it cannot.
    """

    seen: Generation
    changes: Any
    position: int
    row_hash: str | None
    head: int
    stopped_by: StoreError | None
    pages: int

    @property
    def is_last(self) -> bool:
        """Whether nothing after it can be read now."""
        return self.position >= self.head or self.stopped_by is not None

    @property
    def reached(self) -> Generation:
        """The generation as it stands once this is written."""
        return self.seen._replace(position=self.position, row_hash=self.row_hash)

    @property
    def is_enough(self) -> bool:
        """Whether it is to be written before another page is read."""
        kept = self.seen.kept
        return self.is_last or self.pages >= TOGETHER or kept.weight(self.changes) >= WEIGHT


def catch_up(log: Log, view: ViewFile, page: int = PAGE, progress: Progress | None = None) -> None:
    """Bring the live rows to the head of the log, ``page`` events at a time.

    ``progress`` is called with the position reached and the head, after each page.
    """
    advance: Advance | None = None
    while True:
        with view.reading() as rows:
            live = generations.live(rows, view.kept)
            advance = next_advance(log, rows, live, page, advance)
        if advance is None:
            # Where a row is damaged, not put back, the error of the replay says it alone.
            replay(log, view, page=page)
            _logger.warning(
                "%s stood at position %s of a log that has another row there, as one put back "
                "from a backup has: replayed from zero",
                view.place,
                live.position,
            )
            continue
        enough = advance.is_enough
        if enough and advance.position > live.position:
            with view.writing() as connection:
                if not take(connection, advance):
                    continue
        if progress is not None:
            progress(advance.position, max(advance.head, advance.position))
        if advance.stopped_by is not None:
            raise advance.stopped_by
        if advance.is_last:
            return
        if enough:
            advance = None


def replay(log: Log, view: ViewFile, page: int = PAGE, progress: Progress | None = None) -> None:
    """Fill a new generation beside the live one, which is read and followed meanwhile; then switch.

    Ends early if a replay that began later switched first: its rows are as good. Stops at an event
    of a newer release, and shows the rows so far unless the live ones are further.
    """
    with view.writing() as connection:
        number = generations.begin(connection, view.kept)
    switched = False
    advance: Advance | None = None
    while not switched:
        with view.reading() as rows:
            ours = generations.find(rows, number, view.kept)
            advance = ours and next_advance(log, rows, ours, page, advance)
        if ours is None:
            return
        if advance is None:  # The log was put back from a backup meanwhile.
            return replay(log, view, page, progress)
        enough = advance.is_enough
        if enough:
            switched = _take_and_switch(log, view, advance)
        if progress is not None:
            progress(advance.position, max(advance.head, advance.position))
        if advance.stopped_by is not None:
            raise advance.stopped_by
        if enough:
            advance = None


def _take_and_switch(log: Log, view: ViewFile, advance: Advance) -> bool:
    """Write an advance; whether its generation is live now."""
    with view.writing() as connection:
        # In the transaction of the last page: the old rows, which are still followed, must not be
        # ahead of those that replace them.
        if not take(connection, advance) or not advance.is_last:
            return False
        live = generations.live(connection, view.kept)
        with log.reading() as reading:
            if advance.position < live.position and follows(reading, live):
                return False
        generations.switch(connection, advance.seen.number, view.kept)
        return True


def follows(log: Reading, generation: Generation) -> bool:
    """Whether the log still has the row at a generation's position."""
    if generation.position == 0:
        return True
    found = log.row_hash(generation.position)
    return found is not None and found == generation.row_hash


def next_advance(
    log: Log,
    rows: sqlite3.Connection,
    generation: Generation,
    page: int,
    before: Advance | None = None,
) -> Advance | None:
    """The next advance of a generation; ``None`` if the log is no longer the one it followed.

    ``rows`` shows the view as it was when the generation was read. An advance ``before``, which is
    not written yet, is taken a page further; where the generation has moved since, it is dropped.
    """
    kept = generation.kept
    if before is None or before.seen != generation:
        before = Advance(generation, None, generation.position, generation.row_hash, 0, None, 0)
    with log.reading() as reading:
        if not follows(reading, before.reached):
            return None
        head = reading.head()
        read = kept.page(reading, before.position, page)
        row_hash = reading.row_hash(read.last)
    changes = kept.changes(log, rows, generation.table, read, before.changes)
    return Advance(
        generation, changes, read.last, row_hash, head, read.stopped_by, before.pages + 1
    )


def take(connection: sqlite3.Connection, advance: Advance) -> bool:
    """Write an advance in the caller's transaction; False if the generation has moved since."""
    if not generations.move(connection, advance.seen, advance.position, advance.row_hash):
        return False
    kept, table = advance.seen.kept, advance.seen.table
    kept.write(connection, table, advance.changes)
    if advance.is_last:
        kept.settle(connection, table)
    return True
