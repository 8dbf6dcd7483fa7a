"""A view's rows anew from zero, beside the old ones, and then a switch that no reader notices."""

from __future__ import annotations

from collections.abc import Callable

from serverdomain.projections import catch_up
from serverdomain.projections.view_file import ViewFile
from serverdomain.store import queries
from serverdomain.store.sqlite import SQLiteStore


def replay(
    store: SQLiteStore,
    view: ViewFile,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Fill the next generation and show it.

    The old one is read and followed meanwhile. Ends early where another replay, begun later,
    switched first: its rows are as good.
    """
    with view.connections.writing() as connection:
        number = view.begin(connection)
    while True:
        with store.connections.reading() as log:
            head = queries.head(log)
        with view.connections.writing() as connection:
            ours = view.generation(connection, number)
            if ours is None:
                return
            stopped_by = catch_up.advance(store, view, connection, ours)
            ours = view.generation(connection, number)
            assert ours is not None
            if progress is not None:
                progress(ours.position, max(head, ours.position))
            # In the same transaction as the last batch, so that the old rows, which go on being
            # followed, cannot be ahead of those that take their place.
            if ours.position >= head or stopped_by is not None:
                live = view.live(connection)
                if ours.position >= live.position or not catch_up.follows(store, live):
                    view.switch(connection, number)
                    break
        if stopped_by is not None:
            break
    if stopped_by is not None:
        raise stopped_by
