"""The log as one file more."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.answers import say, say_json, visible
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument, flag, option
from serverdomain.adapters.cli.progress_bar import progress_bar

app = Commands()


@app.command()
def backup(
    store: StoreOptions,
    out: Annotated[str, argument("OUT", "The copy, a new file.")],
    key: Annotated[
        str | None,
        option("FILE", "Sign the copy, into OUT.checkpoint; if there is no key, it is made."),
    ] = None,
    verify: Annotated[bool, flag("--verify", "Read the copy back, and its checkpoint.")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the log into one file, as it is now, while others go on writing."""
    with store.open() as servers, progress_bar("backup") as progress:
        made = servers.backup(out, key, verify=verify, progress=progress)
    signed = made.signed
    if as_json:
        checkpoint = None
        if signed is not None:
            size, root = signed.checkpoint.size, signed.checkpoint.root.hex()
            checkpoint = {"file": f"{out}.checkpoint", "size": size, "root": root}
        say_json({"backup": out, "events": made.events, "checkpoint": checkpoint})
        return
    if signed is not None and signed.new_key:
        say(visible(f"{key} is a new key, and {key}.pub its public half"))
    say(visible(f"{out} holds {made.events} events"))
    if signed is not None:
        say(visible(f"{out}.checkpoint covers them, root {signed.checkpoint.root.hex()}"))
    if verify:
        say("it was read back, and everything holds")
