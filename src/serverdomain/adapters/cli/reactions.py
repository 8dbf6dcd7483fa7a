"""The reactions that ever ran on a store: how far each is, and how a stopped one goes on."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.answers import say, say_json, visible
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument

app = Commands(name="reactions", help="Reactions: your code that runs when something has happened.")

Name = Annotated[str, argument("NAME", "The reaction's name.")]


@app.command("list")
def list_reactions(store: StoreOptions, as_json: AsJson = False) -> None:
    """List the reactions, how far each is done, and why it stopped."""
    from msgspec import to_builtins

    with store.open() as servers:
        found = servers.reactions()
    if as_json:
        say_json({"reactions": to_builtins(found)})
        return
    for reaction in found:
        line = f"{reaction.name} is done up to position {reaction.position}"
        if reaction.stopped_at is not None:
            line += f"; stopped at {reaction.stopped_at}: {reaction.why}"
        say(visible(line))


@app.command()
def resume(name: Name, store: StoreOptions) -> None:
    """Let a stopped reaction try its event again."""
    with store.open_to_write() as servers:
        servers.resume_reaction(name)


@app.command()
def skip(name: Name, store: StoreOptions) -> None:
    """Let a stopped reaction go on after the event that stopped it."""
    with store.open_to_write() as servers:
        servers.skip_reaction(name)
