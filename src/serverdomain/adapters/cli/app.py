"""All commands in one place, in the order in which ``--help`` lists them."""

from __future__ import annotations

from typing import Annotated

# Only some commands draw with rich, but its absence is reported at once.
import rich  # noqa: F401
import typer

from serverdomain.adapters.cli import (
    backup,
    birth,
    changes,
    check,
    demo,
    diff,
    digest,
    env,
    export,
    follow,
    generate,
    history,
    importing,
    ledger,
    listing,
    questions,
    reactions,
    report,
    serve,
    store,
    view,
    wait,
    what_if,
)
from serverdomain.adapters.cli.answers import say
from serverdomain.adapters.cli.parameters import Commands, flag

app = Commands(
    name="serverdomain",
    help="Servers as lists of facts: change them, and ask what they are and what happened.",
    # Plain help is the same on a terminal and in a file, and cuts nothing.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"serverdomain {version('serverdomain')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, flag("--version", "Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


for group in (
    birth,
    changes,
    questions,
    listing,
    history,
    diff,
    what_if,
    wait,
    report,
    view,
    reactions,
    serve,
    env,
    store,
    check,
    backup,
    importing,
    follow,
    export,
    digest,
    ledger,
    demo,
    generate,
):
    app.add_typer(group.app)
