"""A log's rows put into a new file as they are: positions, commands, times, refusals and the id."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from serverdomain.domain.progress import Progress
from serverdomain.store.log import Reading
from serverdomain.store.sqlite import schema
from serverdomain.store.sqlite.faults import store_error
from serverdomain.store.sqlite.place import Place

COMMAND = "INSERT INTO commands VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
EVENT = "INSERT INTO stored_events VALUES (?,?,?,?,?,?)"
BOOKMARK = "INSERT INTO reactions VALUES (?,?,?,?)"
"""What takes a row as it is."""


def fill(place: Place, log: Reading, progress: Progress, what: str) -> None:
    """Make a log in an empty file that nobody else knows, of another that is read.

    It is not synced. Raises `StoreError` of ``what`` it is where the disk does not take it.
    """
    try:
        with closing(place.connect("rw", 0)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            schema.bring_up(connection, place, log.log_id())
            connection.executemany(COMMAND, (row[:-1] for row in log.commands()))
            done, total = 0, log.count()
            for rows in log.rows():
                connection.executemany(EVENT, (row[:6] for row in rows))
                done += len(rows)
                progress(done, total)
            connection.executemany(
                BOOKMARK,
                ((one.name, one.position, one.stopped_at, one.why) for one in log.bookmarks()),
            )
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise store_error(error, what) from error
