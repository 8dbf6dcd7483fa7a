"""The lossless form: a line for each event, which `import log` takes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from serverdomain.adapters.exchange.form import End
from serverdomain.adapters.exchange.line import Lines, read
from serverdomain.store.log import Row

_AT_ONCE = 256


def lines(log_id: str, rows: Iterable[Row], before: int) -> Iterator[bytes]:
    """The lines of rows, some at a time."""
    lines, left = Lines(log_id), iter(rows)
    while some := [*islice(left, _AT_ONCE)]:
        yield lines.of(some, before)
        before = some[-1][0]


def end(line: bytes) -> End:
    """Where an export ends, by its last line."""
    found, _ = read(line, 1)
    return End(found.log_id, found.position)
