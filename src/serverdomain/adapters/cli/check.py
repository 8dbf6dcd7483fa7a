"""The check of log and view."""

from __future__ import annotations

import typer

from serverdomain.adapters.cli.answers import say_json, say_lines, visible
from serverdomain.adapters.cli.options import AsJson, ViewOptions
from serverdomain.adapters.cli.parameters import Commands
from serverdomain.adapters.cli.progress_bar import progress_bar

app = Commands()


@app.command()
def check(store: ViewOptions, as_json: AsJson = False) -> None:
    """Check whether log, view and timeline keep what they promise.

    Prints a line for each finding, and exits with 4 if there is one. Only reads.
    """
    from serverdomain.audit.check import check
    from serverdomain.domain import moment
    from serverdomain.servers import system_clock
    from serverdomain.store.opening import caches_of, examining

    with progress_bar("check") as progress:
        now = moment.to_micros(system_clock())
        log, caches = examining(store.url), caches_of(store.url)
        found = list(check(log, caches, store.view, progress, now=now))
    if as_json:
        say_json({"findings": [finding.as_json() for finding in found]})
    else:
        findings = [visible(str(finding)) for finding in found]
        say_lines((line, "") for line in findings or ["everything holds"])
    if found:
        raise typer.Exit(4)
