"""The log as one file more."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.answers import say_json, say_lines, visible
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
    store.require_apart(out, "OUT")
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
    told = []
    if signed is not None and signed.new_key:
        told.append(f"{key} is a new key, and {key}.pub its public half")
    told.append(f"{out} holds {made.events} events")
    if signed is not None:
        told.append(f"{out}.checkpoint covers them, root {signed.checkpoint.root.hex()}")
    if verify:
        told.append("it was read back, and everything holds")
    say_lines((visible(line), "") for line in told)
