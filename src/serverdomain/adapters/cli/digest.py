"""One line that tells whether two logs say the same."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

from serverdomain.adapters.cli.answers import say, say_json
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, flag, option
from serverdomain.adapters.cli.progress_bar import progress_bar

app = Commands()


@app.command()
def digest(
    store: StoreOptions,
    until: Annotated[
        int | None,
        option("POSITION", "Only up to this position.", show_default="the last", min=0),
    ] = None,
    recorded: Annotated[
        bool, flag("--recorded", "Cover when the log took each event in as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print one line over all events, the same for every log that says the same."""
    from serverdomain.audit.digest import digest
    from serverdomain.store.opening import open_to_read

    with (
        progress_bar("digest") as progress,
        closing(open_to_read(store.url)) as log,
        log.reading() as reading,
    ):
        made = digest(reading, until=until, recorded=recorded, progress=progress)
    if as_json:
        say_json({"sha256": made.sha256, "events": made.events, "position": made.position})
    else:
        say(str(made))
