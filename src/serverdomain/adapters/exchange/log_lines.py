"""The lossless form: a line for each event, which `import log` takes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from serverdomain.adapters.exchange.form import End
from serverdomain.adapters.exchange.line import Lines, read
from serverdomain.store.log import Row


def lines(log_id: str, rows: Iterable[Row], before: int) -> Iterator[bytes]:
    """The line of each row."""
    line = Lines(log_id).line
    for row in rows:
        yield line(row, before)
        before = row[0]


def end(line: bytes) -> End:
    """Where an export ends, by its last line."""
    found, _ = read(line, 1)
    return End(found.log_id, found.position)
