"""A cloud's own notifications, taken into the log."""

from __future__ import annotations

from typing import Annotated

from serverdomain.adapters.cli.import_options import ImportOptions
from serverdomain.adapters.cli.options import StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument

app = Commands()


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
