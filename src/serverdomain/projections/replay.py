"""A view's rows anew from zero, beside the old ones, and then a switch that no reader notices."""

from __future__ import annotations

from collections.abc import Callable

from serverdomain.projections import catch_up, feed, generations
from serverdomain.projections.view_file import ViewFile
from serverdomain.store.sqlite import SQLiteStore

Progress = Callable[[int, int], None]
"""Is told the position reached and the log's head, after each page."""


def silent(position: int, head: int) -> None:
    """Say nothing of the progress."""


def replay(
    store: SQLiteStore, view: ViewFile, progress: Progress = silent, page: int = feed.PAGE
) -> None:
    """Fill the next generation and show it.

    The old one is read and followed meanwhile. Ends early where another replay, begun later,
    switched first: its rows are as good. Stops at an event of a newer release, and shows what it
    has unless the old rows are further.
    """
    with view.writing() as connection:
        number = generations.begin(connection, view.kept)
    switched = False
    while not switched:
        with view.reading() as rows:
            ours = generations.find(rows, number, view.kept)
            step = ours and catch_up.next_step(store, rows, ours, page)
        if ours is None:
            return
        if step is None:  # The log was put back from a backup meanwhile.
            return replay(store, view, progress, page)
        with view.writing() as connection:
            # In the transaction of the last page, so that the old rows, which go on being followed,
            # cannot be ahead of those that take their place.
            if catch_up.take(connection, step) and step.is_last:
                live = generations.live(connection, view.kept)
                with store.connections.reading() as log:
                    switched = step.position >= live.position or not catch_up.follows(log, live)
                if switched:
                    generations.switch(connection, number, view.kept)
        progress(step.position, max(step.head, step.position))
        if step.stopped_by is not None:
            raise step.stopped_by
