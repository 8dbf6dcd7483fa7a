"""What a cloud remembers of calls: instance actions, and audit records."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.import_options import ImportOptions
from serverdomain.adapters.cli.options import StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument

app = Commands()


@app.command("actions")
def import_actions(
    files: Annotated[
        list[str], argument("FILE|URL|-...", "Answers as JSON, or the cloud's identity service.")
    ],
    store: StoreOptions,
    how: ImportOptions,
) -> None:
    """Take in Nova's instance actions: who asked for what, before the log began.

    Of a URL, the cloud there is asked by openstacksdk, as whom its environment variables say.
    """
    from serverdomain.adapters.incoming import actions, asking

    how.take(files, actions.read, store, asking.answers)


@app.command("cadf")
def import_cadf(
    files: Annotated[list[str], argument("FILE|-...", "Records as JSON, or - for stdin.")],
    store: StoreOptions,
    how: ImportOptions,
) -> None:
    """Take in the audit records of calls to Nova's API, in CADF."""
    from serverdomain.adapters.incoming import cadf

    how.take(files, cadf.read, store)
