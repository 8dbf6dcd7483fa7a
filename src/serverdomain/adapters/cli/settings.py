"""What a server is called, and what is noted on it."""

from __future__ import annotations

from typing import Annotated

import typer

from serverdomain.adapters.cli.options import ENDPOINT, Asking, Endpoint, ServerId, with_options
from serverdomain.errors import InvalidInput

app = typer.Typer()


@app.command()
@with_options
def rename(
    server: ServerId,
    name: Annotated[str, typer.Argument(metavar="NAME", help="1 to 255 characters.")],
    asking: Asking,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Give a server another name."""
    asking.act(endpoint, lambda servers, **how: servers.rename(server, name, **how))


@app.command()
@with_options
def metadata(
    server: ServerId,
    asking: Asking,
    items: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Items to set.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop all others; without an item, all there are.")
    ] = False,
    delete: Annotated[
        list[str] | None,
        typer.Option("--delete", metavar="KEY", help="Drop this item; repeatable."),
    ] = None,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Set, replace or drop what is noted on a server."""
    wanted = dict(_item(item) for item in items or ())
    if delete and (wanted or replace):
        raise InvalidInput(
            "--delete", "KEY=VALUE or --replace came with it, a command of its own is allowed"
        )
    if delete:
        keys = tuple(delete)
        asking.act(endpoint, lambda servers, **how: servers.delete_metadata(server, keys, **how))
    elif replace:
        asking.act(endpoint, lambda servers, **how: servers.replace_metadata(server, wanted, **how))
    elif wanted:
        asking.act(endpoint, lambda servers, **how: servers.update_metadata(server, wanted, **how))
    else:
        raise InvalidInput("metadata", "nothing came, KEY=VALUE, --replace or --delete is allowed")


def _item(given: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not equals:
        raise InvalidInput("metadata", f"{given!r} came, KEY=VALUE is allowed")
    return key, value
