"""What comes into a log from elsewhere: its own export, and what a cloud tells or remembers."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.import_log import import_log
from serverdomain.adapters.cli.import_options import ImportOptions
from serverdomain.adapters.cli.options import StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument

app = Commands(name="import", help="A history that is kept elsewhere, taken into the log.")
app.command("log")(import_log)


@app.command("nova")
def import_nova(
    files: Annotated[list[str], argument("FILE|-...", "Notifications as JSON, or - for stdin.")],
    store: StoreOptions,
    how: ImportOptions,
) -> None:
    """Take in Nova's versioned notifications.

    Files hold JSON lines, arrays or single objects, plain, in gzip or in zstd. Each message counts
    once, however often it comes.
    """
    from serverdomain.adapters.incoming import nova

    how.take(files, nova.read, store)


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
