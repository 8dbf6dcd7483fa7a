"""The reactions that ever ran on a store: how far each is, and how a stopped one goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from serverdomain.adapters.cli.answers import say, say_json, visible
from serverdomain.adapters.cli.option_groups import command
from serverdomain.adapters.cli.options import AsJson, StoreOptions

if TYPE_CHECKING:
    from serverdomain.store.bookmarks import Bookmark

app = typer.Typer(help="Reactions: your code that runs when something has happened.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The reaction's name.")]


@command(app, "list")
def list_reactions(store: StoreOptions, as_json: AsJson = False) -> None:
    """List the reactions, how far each is done, and why it stopped."""
    with store.open() as servers:
        found = servers.reactions()
    if as_json:
        say_json({"reactions": [_members(reaction) for reaction in found]})
        return
    for reaction in found:
        line = f"{reaction.name} is done up to position {reaction.position}"
        if reaction.stopped_at is not None:
            line += f"; stopped at {reaction.stopped_at}: {reaction.why}"
        say(visible(line))


@command(app)
def resume(name: Name, store: StoreOptions) -> None:
    """Let a stopped reaction try its event again."""
    with store.open() as servers:
        servers.resume_reaction(name)


@command(app)
def skip(name: Name, store: StoreOptions) -> None:
    """Let a stopped reaction go on after the event that stopped it."""
    with store.open() as servers:
        servers.skip_reaction(name)


def _members(reaction: Bookmark) -> dict[str, Any]:
    return {
        "name": reaction.name,
        "position": reaction.position,
        "stopped_at": reaction.stopped_at,
        "why": reaction.why,
    }
