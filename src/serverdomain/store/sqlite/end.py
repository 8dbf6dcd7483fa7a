"""The end of a log on SQLite: what the next rows are numbered behind.

Whoever writes knows it from the transaction before, if that was its own and nobody else has
committed since; else it is read.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from serverdomain.errors import StoreDamaged
from serverdomain.store.log import LARGEST, Tip
from serverdomain.store.sqlite.connections import Connections
from serverdomain.store.sqlite.feed import TIP

# As AUTOINCREMENT counts: a number is not used again, even if its row was taken away.
_END = (
    "SELECT * FROM (SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'commands'),"
    " (SELECT MAX(command_id) FROM commands),"
    " (SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'))"
    f" LEFT JOIN (SELECT {TIP} ORDER BY e.position DESC LIMIT 1)"
)

_LAST = LARGEST - 2**32  # No transaction holds so much that it would come to the end from here.


class End(NamedTuple):
    """The end of a log, as a transaction sees it."""

    connection: sqlite3.Connection
    data_version: int
    """Another one once another connection has committed."""
    transaction: int
    """Which of those of `Connections` it is."""
    command_id: int
    """The last that was given; and so the position."""
    position: int
    tip: Tip


class Ends:
    """The ends of one log, from transaction to transaction; for whoever holds the write lock."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._left: End | None = None

    def now(self, connection: sqlite3.Connection) -> End:
        """The end of the log, in a transaction that has just begun."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        number, left = self._connections.transactions, self._left
        if (
            left is not None
            and left.connection is connection
            and left.data_version == version
            and left.transaction == number - 1
        ):
            return left._replace(transaction=number)
        command_seq, command_id, seq, *tip = connection.execute(_END, (LARGEST,)).fetchone()
        last = Tip() if tip[0] is None else Tip(*tip)
        return End(
            connection,
            version,
            number,
            _last("command_id", command_seq, command_id),
            _last("position", seq, last.position),
            last,
        )

    def left(self, end: End) -> None:
        """Note the end that a transaction left, once it is committed."""
        self._left = end


def _last(name: str, *numbers: object) -> int:
    last = 0
    for number in numbers:
        if number is None:
            continue
        if type(number) is not int or not 0 <= number <= _LAST:
            raise StoreDamaged(
                f"the log's last {name} is {number!r}, none can follow it: up to {_LAST} is allowed"
            )
        last = max(last, number)
    return last
