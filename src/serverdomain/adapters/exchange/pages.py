"""A log's rows for whoever takes their time with them: page by page, and no state held between."""

from __future__ import annotations

from collections.abc import Iterator

from serverdomain.store.log import Log, Row


def pages(log: Log, after: int, until: int) -> Iterator[list[Row]]:
    """The rows behind one position and up to another, as the log has them when it is asked."""
    while after < until:
        with log.reading() as reading:
            rows = next(reading.rows(after), [])
        if rows and rows[-1][0] > until:
            rows = [row for row in rows if row[0] <= until]
        if not rows:
            return
        yield rows
        after = rows[-1][0]
