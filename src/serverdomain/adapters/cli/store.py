"""The store itself: made once, by who owns it, and moved."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.answers import say_json, say_sentence, visible
from serverdomain.adapters.cli.options import AsJson
from serverdomain.adapters.cli.parameters import Commands, argument, flag
from serverdomain.adapters.cli.progress_bar import progress_bar

app = Commands(name="store", help="The store: made once, by its owner, and moved.")


@app.command()
def init(
    url: Annotated[str, argument("URL", "The log: postgresql://user@host/database?schema=name.")],
    without_guards: Annotated[
        bool, flag("--without-guards", "Make no triggers: for a database that has none.")
    ] = False,
) -> None:
    """Make a log, or bring one to this release's schema."""
    from serverdomain.store.opening import init_log

    made = init_log(url, guarded=not without_guards)
    say_sentence("the log is ready" if made else "the log was ready, nothing is to do")


@app.command()
def copy(
    source: Annotated[str, argument("FROM", "The log that moves: a file, or a URL.")],
    to: Annotated[str, argument("TO", "Where it goes: a new file, or the URL of a new schema.")],
    as_json: AsJson = False,
) -> None:
    """Move a log elsewhere as it is; at the old place it is only read from then on.

    Repeat it after an interruption: it goes on.
    """
    from serverdomain.store.opening import copy_log

    with progress_bar("copy") as progress:
        made = copy_log(source, to, progress)
    if as_json:
        told = {"from": made.source, "to": made.place, "log_id": made.log_id, "events": made.events}
        say_json(told)
        return
    say_sentence(visible(f"{made.source} went to {made.place}: {made.events} events, compared"))
