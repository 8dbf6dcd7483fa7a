"""A log to try things on: three years of a made-up fleet."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

from serverdomain.adapters.cli.answers import say
from serverdomain.adapters.cli.options import StoreOptions
from serverdomain.adapters.cli.parameters import Commands, option
from serverdomain.adapters.cli.progress_bar import progress_bar

app = Commands()


@app.command()
def generate(
    servers: Annotated[int, option("N", "How many servers.")],
    store: StoreOptions,
    seed: Annotated[int, option("S", "Another seed gives another fleet.")] = 1,
) -> None:
    """Fill an empty log with three years of a made-up fleet.

    The same number and seed give the same log.
    """
    from serverdomain.simulation.fleet import generate, require_number
    from serverdomain.store.opening import open_log, open_to_read

    require_number(servers)
    opened = open_to_read if store.read_only else open_log
    with progress_bar("generate") as progress, closing(opened(store.url)) as log:
        made = generate(log, servers, seed, progress)
    say(f"{made.events} events of {made.servers} servers, by {made.commands} commands")
