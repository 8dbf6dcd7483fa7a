"""The commands that change a server.

Most ask one command of the domain and are one entry here. Those that read a file, or choose
between commands, are functions.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import Annotated, Any, Literal

import typer

from serverdomain.adapters.cli.body import (
    LONGEST_DOCUMENT,
    LONGEST_REQUEST,
    Document,
    Request,
    read,
)
from serverdomain.adapters.cli.option_groups import command
from serverdomain.adapters.cli.options import (
    ENDPOINT,
    ChangeOptions,
    Endpoint,
    ServerId,
)
from serverdomain.errors import InvalidInput

app = typer.Typer()


def _asks(name: str, kind: str, says: str, /, *, prints: bool = True, **members: Any) -> None:
    """Add a command line that asks a command of this kind of a server.

    Each of the command's ``members`` is a parameter: its type, and an option or argument of typer.
    """

    def ask(server: str, by: ChangeOptions, endpoint: str | None = None, **given: Any) -> None:
        from serverdomain.domain.commands import COMMANDS

        by.change(server, COMMANDS[kind](**given), endpoint)

    def parameter(name: str, of: Any, default: Any = Parameter.empty) -> Parameter:
        return Parameter(name, Parameter.KEYWORD_ONLY, annotation=of, default=default)

    shared = [parameter("by", ChangeOptions)]
    if prints:
        shared.append(parameter("endpoint", Endpoint, ENDPOINT))
    own = [parameter(member, *given) for member, given in members.items()]
    required = [one for one in own if one.default.default is ...]
    optional = [one for one in own if one not in required]
    ask.__dict__["__signature__"] = Signature(
        [parameter("server", ServerId), *required, *shared, *optional]
    )
    command(app, name, says)(ask)


@command(app)
def register(document: Document, by: ChangeOptions, endpoint: Endpoint = ENDPOINT) -> None:
    """Adopt a server as it is.

    Makes the store if there is none.
    """
    from serverdomain.adapters.compute_json import read_server

    adopted = read_server(read("--from", document, LONGEST_DOCUMENT))
    by.change(None, adopted, endpoint, create=True)


_asks("built", "report_built", "Report that a server in BUILD is up.")
_asks(
    "delete",
    "delete",
    "Delete a server, at once and for good.\n\nPrints nothing. Its history stays.",
    prints=False,
)


@command(app)
def rebuild(
    server: ServerId, request: Request, by: ChangeOptions, endpoint: Endpoint = ENDPOINT
) -> None:
    """Rebuild a server from an image.

    Prints the password, this once: nothing keeps it.
    """
    from serverdomain.adapters.compute_json import read_rebuild

    by.change(server, read_rebuild(read("--request", request, LONGEST_REQUEST)), endpoint)


_asks(
    "progress",
    "report_progress",
    "Report how far the rebuild is.",
    percent=(int, typer.Argument(..., metavar="N", help="Percent, 0 to 100.")),
)
_asks(
    "complete",
    "complete_rebuild",
    "Report that the rebuild is done.",
    progress=(
        int,
        typer.Option(100, metavar="N", help="The percentage that is shown from then on."),
    ),
)
_asks(
    "fail",
    "fail_rebuild",
    "Report that the rebuild failed.",
    reason=(str, typer.Option(..., metavar="TEXT", help="Why it failed.")),
    stage=(
        Literal["scheduling", "hypervisor"],
        typer.Option(
            "hypervisor",
            help="Where it failed; scheduling gives the old image back.",
        ),
    ),
)
_asks(
    "rename",
    "rename",
    "Give a server another name.",
    name=(str, typer.Argument(..., metavar="NAME", help="1 to 255 characters.")),
)


@command(app)
def metadata(
    server: ServerId,
    by: ChangeOptions,
    items: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Items to set.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove all other items; alone, all items.")
    ] = False,
    delete: Annotated[
        list[str] | None,
        typer.Option("--delete", metavar="KEY", help="Remove this item; repeatable."),
    ] = None,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Set, replace or remove metadata of a server."""
    from serverdomain.domain.commands import DeleteMetadata, ReplaceMetadata, UpdateMetadata

    wanted = dict(_item(item) for item in items or ())
    if delete and (wanted or replace):
        raise InvalidInput(
            "--delete", "KEY=VALUE or --replace came with it, a separate command is allowed"
        )
    if delete:
        by.change(server, DeleteMetadata(keys=tuple(delete)), endpoint)
    elif replace:
        by.change(server, ReplaceMetadata(metadata=wanted), endpoint)
    elif wanted:
        by.change(server, UpdateMetadata(metadata=wanted), endpoint)
    else:
        raise InvalidInput("metadata", "nothing came, KEY=VALUE, --replace or --delete is allowed")


def _item(given: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not equals:
        raise InvalidInput("metadata", f"{given!r} came, KEY=VALUE is allowed")
    return key, value


_asks("lock", "lock", "Let only administrators act on a server.")
_asks("unlock", "unlock", "Let a server's users act on it again.")
_asks("stop", "stop", "Turn a server off.")
_asks("start", "start", "Turn a server on.")
_asks(
    "reset-state",
    "reset_state",
    "Set a server's state.\n\nNeeds --role admin. Ends a rebuild under way.",
    state=(
        Literal["active", "error"],
        typer.Argument(
            ..., metavar="active|error", help="The new state.", callback=lambda given: given.upper()
        ),
    ),
)
