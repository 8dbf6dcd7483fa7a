"""Progress bars, for whoever waits at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from serverdomain.adapters.cli.answers import console, is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from serverdomain.domain.progress import Progress
    from serverdomain.projections.server_view import ServerView
    from serverdomain.projections.timeline import Timeline

_LONG = 20_000
"""From this many events behind, a progress bar is drawn."""


def bars(stream: TextIO, *, off_terminal: bool = False) -> Bars:
    """Progress bars on a stream; off a terminal only their end is drawn, or nothing at all."""
    from rich.progress import Progress

    on_terminal = is_terminal(stream)
    return Progress(console=console(stream, on_terminal), disable=not (on_terminal or off_terminal))


@contextmanager
def progress_bar(work: str) -> Iterator[Progress]:
    """A progress bar on stderr while some work goes on; gives what is to be told of it."""
    with bars(sys.stderr) as drawn:
        task = drawn.add_task(work, total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)
        # Some work ends without a last word.
        whole = drawn.tasks[0].total or 1
        drawn.update(task, completed=whole, total=whole)


def catch_up(view: ServerView | Timeline, what: str) -> None:
    """Let a view follow the log, with a progress bar if that takes a while."""
    if view.status().lag < _LONG:
        return
    with progress_bar(what) as progress:
        view.catch_up(progress)
