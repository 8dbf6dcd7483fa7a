"""An exported log taken back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import IO, TYPE_CHECKING, Annotated

from serverdomain.adapters.cli.answers import say_json, say_lines, visible
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import argument
from serverdomain.adapters.cli.progress_bar import progress_bar
from serverdomain.errors import InvalidInput, StoreReadOnly

if TYPE_CHECKING:
    from serverdomain.adapters.exchange.log_import import Told
    from serverdomain.domain.progress import Progress


def import_log(
    file: Annotated[str, argument("FILE|-", "What export wrote, packed or not; - for stdin.")],
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
    with progress_bar("import") as progress, _opened(file, progress) as (lines, told_bytes):
        made = import_log(
            lambda log_id: closing(open_log(store.url, log_id=log_id)),
            lines,
            told_bytes,
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
def _opened(file: str, progress: Progress) -> Iterator[tuple[IO[bytes], Told]]:
    """The lines of a file or of stdin, unpacked, and whom to tell how many bytes of them are in."""
    from serverdomain.adapters.incoming.sources import Damaged, source

    with ExitStack() as opened:
        try:
            lines, packed = opened.enter_context(source(file))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InvalidInput("FILE", f"{file!a} cannot be read: {why}") from None
        size = os.path.getsize(file) if os.path.isfile(file) else 0
        try:
            yield lines, lambda done: progress(packed.tell() if size else done, size or done)
        except Damaged as damaged:
            raise InvalidInput("FILE", f"{file!a} {damaged}; what stands before it is in") from None
