"""The commands that change a server.

Each asks one command of the domain, whose members are its arguments and options.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from serverdomain.adapters.cli.answers import complain, is_terminal, visible
from serverdomain.adapters.cli.body import LONGEST_REQUEST, read, read_items, require_either
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


_asks("built", "report_built", "Report that a server in BUILD is up.")


@app.command()
def delete(server: ServerId, by: ChangeOptions) -> None:
    """Delete a server, at once and for good.

    Prints nothing. Its history stays. SERVER is a whole id or a whole name.
    """
    by.ask(server, _command("delete"), whole=True)


@app.command()
def rebuild(
    server: ServerId,
    by: ShownChangeOptions,
    image: Annotated[str | None, option("ID", "The image to rebuild it from.")] = None,
    name: Annotated[str | None, option("NAME", "Another name.")] = None,
    metadata: Annotated[
        list[str] | None, option("KEY=VALUE", "Metadata in place of all there is; repeatable.")
    ] = None,
    request: Annotated[
        str | None, option("FILE|-", 'All of this and more, as {"rebuild": {…}}.')
    ] = None,
) -> None:
    """Rebuild a server from an image.

    Prints the password, this once: nothing keeps it.
    """
    from serverdomain.adapters.compute_json import read_rebuild
    from serverdomain.domain.limits import canonical_uuid

    beside = {"--image": image, "--name": name, "--metadata": metadata}
    require_either("--request", request, beside, ["--image"])
    if request is not None:
        by.change(server, read_rebuild(read("--request", request, LONGEST_REQUEST)))
        return
    members: dict[str, Any] = {"image_id": canonical_uuid("--image", image or "")}
    if name is not None:
        members["name"] = name
    if metadata:
        members["metadata"] = read_items("--metadata", metadata)
    by.change(server, _command("rebuild", **members))


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
    yes: Annotated[bool, flag("--yes", "Do not ask before all items are removed.")] = False,
    delete: Annotated[list[str] | None, option("KEY", "Remove this item; repeatable.")] = None,
) -> None:
    """Set, replace or remove metadata of a server."""
    wanted = read_items("metadata", items or ())
    if delete and (wanted or replace):
        raise InvalidInput(
            "--delete", "KEY=VALUE or --replace came with it, a separate command is allowed"
        )
    if delete:
        by.change(server, _command("delete_metadata", keys=tuple(delete)))
    elif replace:
        if not wanted and not yes:
            _ask_whether_sure(server)
        by.change(server, _command("replace_metadata", metadata=wanted))
    elif wanted:
        by.change(server, _command("update_metadata", metadata=wanted))
    else:
        raise InvalidInput("metadata", "nothing came, KEY=VALUE, --replace or --delete is allowed")


def _ask_whether_sure(server: str) -> None:
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise InvalidInput(
            "--replace", "nothing to set came with it, --yes is required to remove all items"
        )
    question = f"Remove all metadata of server {visible(server)}? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        complain("nothing was changed")
        raise typer.Exit(1)


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
