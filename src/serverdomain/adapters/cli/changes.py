"""The commands that change a server.

Each asks one command of the domain, whose members are its arguments and options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from serverdomain.adapters.cli.body import LONGEST_DOCUMENT, LONGEST_REQUEST, read
from serverdomain.adapters.cli.options import ChangeOptions, ServerId, ShownChangeOptions
from serverdomain.adapters.cli.parameters import Commands, argument, flag, option
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.domain.commands import Command

app = Commands()


def _command(kind: str, **members: Any) -> Command:
    from serverdomain.domain.commands import COMMANDS

    return COMMANDS[kind](**members)


def _asks(name: str, kind: str, says: str) -> None:
    """Add a command that asks one of this kind, which has no members, of a server."""

    def ask(server: ServerId, by: ShownChangeOptions) -> None:
        by.change(server, _command(kind))

    app.command(name, help=says)(ask)


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


_asks("built", "report_built", "Report that a server in BUILD is up.")


@app.command()
def delete(server: ServerId, by: ChangeOptions) -> None:
    """Delete a server, at once and for good.

    Prints nothing. Its history stays.
    """
    by.ask(server, _command("delete"))


@app.command()
def rebuild(
    server: ServerId,
    request: Annotated[str, option("FILE|-", 'A rebuild request: {"rebuild": {…}}.', "--request")],
    by: ShownChangeOptions,
) -> None:
    """Rebuild a server from an image.

    Prints the password, this once: nothing keeps it.
    """
    from serverdomain.adapters.compute_json import read_rebuild

    by.change(server, read_rebuild(read("--request", request, LONGEST_REQUEST)))


@app.command()
def progress(
    server: ServerId,
    percent: Annotated[int, argument("N", "Percent, 0 to 100.")],
    by: ShownChangeOptions,
) -> None:
    """Report how far the rebuild is."""
    by.change(server, _command("report_progress", percent=percent))


@app.command()
def complete(
    server: ServerId,
    by: ShownChangeOptions,
    progress: Annotated[int, option("N", "The percentage that is shown from then on.")] = 100,
) -> None:
    """Report that the rebuild is done."""
    by.change(server, _command("complete_rebuild", progress=progress))


@app.command()
def fail(
    server: ServerId,
    reason: Annotated[str, option("TEXT", "Why it failed.")],
    by: ShownChangeOptions,
    stage: Annotated[
        Literal["scheduling", "hypervisor"],
        option(None, "Where it failed; scheduling gives the old image back.", case_sensitive=False),
    ] = "hypervisor",
) -> None:
    """Report that the rebuild failed."""
    by.change(server, _command("fail_rebuild", reason=reason, stage=stage))


@app.command()
def rename(
    server: ServerId,
    name: Annotated[str, argument("NAME", "1 to 255 characters.")],
    by: ShownChangeOptions,
) -> None:
    """Give a server another name."""
    by.change(server, _command("rename", name=name))


@app.command()
def metadata(
    server: ServerId,
    by: ShownChangeOptions,
    items: Annotated[list[str] | None, argument("KEY=VALUE", "Items to set.")] = None,
    replace: Annotated[
        bool, flag("--replace", "Remove all other items; alone, all items.")
    ] = False,
    delete: Annotated[list[str] | None, option("KEY", "Remove this item; repeatable.")] = None,
) -> None:
    """Set, replace or remove metadata of a server."""
    wanted = dict(_item(item) for item in items or ())
    if delete and (wanted or replace):
        raise InvalidInput(
            "--delete", "KEY=VALUE or --replace came with it, a separate command is allowed"
        )
    if delete:
        by.change(server, _command("delete_metadata", keys=tuple(delete)))
    elif replace:
        by.change(server, _command("replace_metadata", metadata=wanted))
    elif wanted:
        by.change(server, _command("update_metadata", metadata=wanted))
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


@app.command()
def reset_state(
    server: ServerId,
    state: Annotated[
        Literal["active", "error"], argument("active|error", "The new state.", case_sensitive=False)
    ],
    by: ShownChangeOptions,
) -> None:
    """Set a server's state.

    Needs --role admin. Ends a rebuild under way.
    """
    by.change(server, _command("reset_state", state=state.upper()))
