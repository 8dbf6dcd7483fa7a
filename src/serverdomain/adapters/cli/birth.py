"""How a server begins: adopted as it is, or created."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.answers import complain
from serverdomain.adapters.cli.body import (
    LONGEST_DOCUMENT,
    LONGEST_REQUEST,
    read,
    read_items,
    require_either,
)
from serverdomain.adapters.cli.options import ShownChangeOptions
from serverdomain.adapters.cli.parameters import Commands, option

app = Commands()


@app.command()
def register(
    document: Annotated[str, option("FILE|-", 'A server: {"server": {…}}.', "--from")],
    by: ShownChangeOptions,
) -> None:
    """Adopt a server as it is.

    Makes the store if there is none.
    """
    from serverdomain.adapters.compute_json import read_server

    by.change(None, read_server(read("--from", document, LONGEST_DOCUMENT)), create=True)


@app.command()
def create(
    by: ShownChangeOptions,
    name: Annotated[str | None, option("NAME", "Its name, 1 to 255 characters.")] = None,
    image: Annotated[str | None, option("ID", "The image that it is made from.")] = None,
    flavor: Annotated[str | None, option("ID", "Its flavor.")] = None,
    metadata: Annotated[list[str] | None, option("KEY=VALUE", "Metadata; repeatable.")] = None,
    request: Annotated[
        str | None, option("FILE|-", 'All of this and more, as {"server": {…}}.')
    ] = None,
) -> None:
    """Create a server, which is in BUILD until it is reported built.

    Prints the password, this once: nothing keeps it. Makes the store if there is none.
    """
    from serverdomain.adapters.compute_json import read_create
    from serverdomain.domain.commands import CreateServer
    from serverdomain.domain.limits import canonical_uuid

    needed = {"--name": name, "--image": image, "--flavor": flavor}
    require_either("--request", request, {**needed, "--metadata": metadata}, needed)
    if request is not None:
        command, dropped = read_create(read("--request", request, LONGEST_REQUEST))
        if dropped:
            complain(f"--request: {', '.join(dropped)} came, which decide nothing here")
    else:
        command = CreateServer(
            name=name or "",
            image_id=canonical_uuid("--image", image or ""),
            flavor_id=flavor or "",
            metadata=read_items("--metadata", metadata or ()),
        )
    by.change(None, command, create=True)
