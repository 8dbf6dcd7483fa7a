"""The check of log and view."""

from __future__ import annotations

import typer

from serverdomain.adapters.cli.answers import say, say_json, visible
from serverdomain.adapters.cli.options import AsJson, ViewOptions
from serverdomain.adapters.cli.parameters import Commands
from serverdomain.adapters.cli.progress_bar import progress_bar

app = Commands()


@app.command()
def check(store: ViewOptions, as_json: AsJson = False) -> None:
    """Check whether log and view keep what they promise.

    Prints a line for each finding, and exits with 4 if there is one. Only reads.
    """
    from serverdomain.audit.check import check
    from serverdomain.store.opening import caches_of, examining

    with progress_bar("check") as progress:
        found = list(check(examining(store.url), caches_of(store.url), store.view, progress))
    if as_json:
        say_json({"findings": [finding.as_json() for finding in found]})
    else:
        say("\n".join(visible(str(finding)) for finding in found) or "everything holds")
    if found:
        raise typer.Exit(4)
