"""A view of a log: rows made from it in a file of their own, followed, missed when it goes.

It is a cache of the fold, never a second truth, and can be deleted at any time. `KeptRows` say what
its rows are; each view adds its own questions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import ClassVar, NamedTuple, TypeVar

from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.typed import typed
from serverdomain.errors import StoreError, StoreMissing
from serverdomain.projections import following, generations
from serverdomain.projections.kept_rows import KeptRows
from serverdomain.projections.view_file import ViewFile
from serverdomain.projections.view_place import ViewPlace
from serverdomain.store.log import CommitFailed, Log

# A new file may be removed at once, too; but if each one is damaged, the disk is.
_ATTEMPTS = 10

Answer = TypeVar("Answer")


class Standing(NamedTuple):
    """A view's position, the log's head, the events between them, and the rows of the view."""

    position: int
    head: int
    lag: int
    rows: int


@typed
class View:
    """A view of a log, in a file beside it, or in memory with it.

    If its file is removed or damaged, it is made again and a warning is logged; but a damaged file
    that was ``given`` stays. ``page`` is the number of events that are read at a time.
    """

    kept: ClassVar[KeptRows]

    def __init__(
        self, log: Log, given: str | Path | None = None, page: int = following.PAGE
    ) -> None:
        self._log = log
        self._page = page
        self._place = ViewPlace(log, given, self.kept)
        self._file = self._place.open()
        self._exchanging = Lock()

    @property
    def path(self) -> Path | None:
        """The path of its file; ``None`` in memory."""
        return self._place.path

    def catch_up(self, progress: Progress = silent) -> None:
        """Follow the log to its head.

        ``progress`` is called with the position reached and the head, after each page. Raises
        `UnknownEvent` at an event of a newer release. If the log was restored from a backup, the
        view is replayed and a warning is logged.
        """
        self._ask(lambda file: following.catch_up(self._log, file, self._page, progress))

    def reach(self, position: int) -> None:
        """Follow the log to its head unless it is at ``position`` already, or further."""
        if self._ask(self._position) < position:
            self.catch_up()

    def replay(self, progress: Progress = silent) -> None:
        """Make all rows again beside the old ones, which are read and followed meanwhile; switch.

        ``progress`` is called with the position reached and the head, after each page.
        """
        self._ask(lambda file: following.replay(self._log, file, self._page, progress))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __len__(self) -> int:
        """Its rows, as of its position."""
        return self._ask(self._standing).rows

    def __bool__(self) -> bool:
        return True  # It is there, even if it has no rows.

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._log}>"

    def _position(self, file: ViewFile) -> int:
        with file.reading() as rows:
            return generations.live(rows, self.kept).position

    def _standing(self, file: ViewFile) -> Standing:
        with file.reading() as rows:
            position = generations.live(rows, self.kept).position
            (count,) = rows.execute(f"SELECT COUNT(*) FROM {self.kept.name}").fetchone()
        with self._log.reading() as log:
            head = log.head()
            lag = log.count(after=position)
        return Standing(position, head, lag, count)

    def _ask(self, question: Callable[[ViewFile], Answer]) -> Answer:
        file = self._file
        attempt = 1
        while True:
            try:
                if attempt > 1:
                    following.catch_up(self._log, file, self._page)
                return question(file)
            except StoreError as error:
                if attempt == _ATTEMPTS:
                    raise
                # Where the log itself is gone, that is told, and nothing made in its place.
                with self._log.reading():
                    pass
                try:
                    file = self._instead_of(file, error)
                except StoreError as again:
                    # It may be removed as soon as it is made, or while it is opened or written,
                    # which SQLite calls an I/O error.
                    failed = type(again) in (StoreError, CommitFailed)
                    went = isinstance(error, StoreMissing) and failed
                    if attempt + 1 == _ATTEMPTS or not (went or isinstance(again, StoreMissing)):
                        raise
                attempt += 1

    def _instead_of(self, file: ViewFile, error: StoreError) -> ViewFile:
        with self._exchanging:
            # Another thread may have been here before.
            if self._file is file:
                self._file = self._place.instead_of(file, error)
                file.close()
            return self._file
