"""The log written out, in one of its forms: all of it, or what lies behind a position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from serverdomain.adapters.exchange.form import End, Form
from serverdomain.adapters.exchange.growing import growing
from serverdomain.adapters.exchange.pages import pages
from serverdomain.domain.progress import Progress
from serverdomain.errors import InvalidInput, Refused
from serverdomain.store.log import Log, Row

_BYTES_AT_ONCE = 1024 * 1024


class Exported(NamedTuple):
    """How many lines were written, of what lies behind a position, and up to which."""

    lines: int
    after: int
    position: int


def export(
    log: Log, form: Form, write: Callable[[bytes], object], after: int, progress: Progress
) -> Exported:
    """Write what the log has now behind a position. Raises `Refused` for one beyond its head."""
    with log.reading() as reading:
        log_id, head, before = reading.log_id(), reading.head(), reading.last(after)
    if after > head:
        raise Refused("head", f"position {after} came, the log ends at position {head}")
    rows = chain.from_iterable(_told(log, after, head, progress))
    waiting: list[bytes] = []
    count = weight = 0
    for some in form.lines(log_id, rows, before):
        waiting.append(some)
        weight += len(some)
        count += some.count(b"\n")
        if weight >= _BYTES_AT_ONCE:
            write(b"".join(waiting))
            weight = 0
            waiting.clear()
    write(b"".join(waiting))
    return Exported(count, after, head)


def export_to_file(
    log: Log, form: Form, path: Path, after: int | None, progress: Progress
) -> Exported:
    """The same into a file; one that is there is gone on with, behind its last whole line.

    Raises `InvalidInput` for a file of another log, or one in another form.
    """
    with growing(path, form.end) as (file, end):
        if end is not None:
            _require_same(log, end, path)
            if after is not None:
                raise InvalidInput(
                    "--after",
                    f"{after} came, but {path} ends at position {end.position} and is gone on with "
                    "from there: a new file is allowed",
                )
            after = end.position
        return export(log, form, file.write, after or 0, progress)


def _require_same(log: Log, end: End, path: Path) -> None:
    with log.reading() as reading:
        log_id, head = reading.log_id(), reading.head()
    if end.log_id != log_id:
        raise InvalidInput("FILE", f"{path} is of log {end.log_id}, one of {log_id} is allowed")
    if end.position > head:
        raise InvalidInput(
            "FILE", f"{path} ends at position {end.position}, the log at position {head}"
        )


def _told(log: Log, after: int, head: int, progress: Progress) -> Iterator[list[Row]]:
    for some in pages(log, after, head):
        yield some
        progress(some[-1][0] - after, head - after)
