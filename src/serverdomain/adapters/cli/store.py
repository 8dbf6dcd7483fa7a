"""The store itself: made once, by who owns it."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.answers import say_sentence
from serverdomain.adapters.cli.parameters import Commands, argument, flag

app = Commands(name="store", help="The store: made once, by its owner.")


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
