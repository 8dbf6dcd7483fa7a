"""An exported log taken back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, BinaryIO

from serverdomain.adapters.cli.answers import say_json, say_lines, visible
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import argument
from serverdomain.adapters.cli.progress_bar import progress_bar
from serverdomain.errors import InvalidInput, StoreReadOnly


def import_log(
    file: Annotated[str, argument("FILE|-", "What export wrote, or - for stdin.")],
    store: StoreOptions,
    as_json: AsJson = False,
) -> None:
    """Take an exported log back: the same events at the same positions.

    What is in the store already is compared, so that it goes on where it was interrupted.
    """
    from serverdomain.adapters.exchange.log_import import import_log
    from serverdomain.store.opening import open_log

    if store.read_only:
        raise StoreReadOnly("nothing can be imported into a store that is only read here")
    with progress_bar("import") as progress, _opened(file) as (lines, size):
        made = import_log(
            lambda log_id: closing(open_log(store.url, log_id=log_id)),
            lines,
            lambda done: progress(done, max(done, size)),
        )
    if as_json:
        say_json(made._asdict())
        return
    told = [
        f"{made.imported} of {made.read} events imported, {made.repeated} were there; "
        f"the log ends at position {made.position}"
    ]
    if not made.same_id:
        told.append("the log has an id of its own, so that older checkpoints are not of it")
    say_lines((visible(line), "") for line in told)


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int]]:
    """The lines of a file or of stdin, and their size in bytes, as far as it is known."""
    if file == "-":
        yield sys.stdin.buffer, 0
        return
    try:
        opened = open(file, "rb")  # noqa: SIM115
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InvalidInput("FILE", f"{file!a} cannot be read: {why}") from None
    with opened:
        yield opened, os.fstat(opened.fileno()).st_size
