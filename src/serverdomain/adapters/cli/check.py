"""Whether log and view hold what they promise."""

from __future__ import annotations

import sys

import typer

from serverdomain.adapters.cli.answers import bar, say, say_json, visible
from serverdomain.adapters.cli.options import AsJson, ViewPlace, with_options

app = typer.Typer()


@app.command()
@with_options
def check(place: ViewPlace, as_json: AsJson = False) -> None:
    """Look whether log and view hold what they promise.

    Says a line for each thing that does not hold, and exits with 4 if there is one. Only reads.
    """
    from serverdomain.audit.check import check_files
    from serverdomain.store import place as places

    store = places.from_url(place.store)
    view = store.beside("view") if place.view is None else places.from_path(place.view, "--view")
    with bar(sys.stderr) as progress:
        task = progress.add_task("check", total=None)
        found = list(
            check_files(
                store, view, lambda done, of: progress.update(task, completed=done, total=of)
            )
        )
    if as_json:
        say_json({"findings": [finding.as_json() for finding in found]})
    else:
        say("\n".join(visible(str(finding)) for finding in found) or "everything holds")
    if found:
        raise typer.Exit(4)
