"""The view that `list` reads: how far it is, and its replay."""

from __future__ import annotations

from serverdomain.adapters.cli.answers import say, say_json
from serverdomain.adapters.cli.options import AsJson, ViewOptions
from serverdomain.adapters.cli.parameters import Commands
from serverdomain.adapters.cli.progress_bar import progress_bar

app = Commands(name="view", help="The view that list reads: a cache made from the log.")


@app.command()
def replay(store: ViewOptions) -> None:
    """Make all rows from the log again.

    The old rows can be read and are followed meanwhile.
    """
    with store.open_view() as servers, progress_bar("replay") as progress:
        servers.view.replay(progress)


@app.command()
def status(store: ViewOptions, as_json: AsJson = False) -> None:
    """Show how far the view has followed the log."""
    with store.open_view() as servers:
        found, path = servers.view.status(), servers.view.path
    if as_json:
        say_json(found._asdict())
        return
    shown = "a view in memory" if path is None else path
    say(f"{shown} holds {found.servers} servers at position {found.position} of {found.head}")
    say(f"{found.lag} events behind" if found.lag else "nothing behind")
