"""The log in PostgreSQL as it is stored: nothing is decoded, and no more is held than a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from psycopg import Connection

from serverdomain.errors import StoreDamaged
from serverdomain.store.log import LARGEST, Reading, Row
from serverdomain.store.postgresql.states import as_given
from serverdomain.store.stored import PAGE_BYTES

# What docs/ledger-spec.md makes a leaf of.
_COMMAND = (
    "c.kind, c.server_id, c.members, c.user_id, c.project_id, c.roles, c.request_id,"
    " c.correlation_id, c.caused_by, c.occurred_at, c.recorded_at, c.refused"
)
_COLUMNS = (
    f"e.position, e.originator_id, e.originator_version, e.topic, e.state, e.command_id, {_COMMAND}"
)
ANY = "FROM {schema}.stored_events e LEFT JOIN {schema}.commands c ON c.command_id = e.command_id"
"""The rows of all events; those of other applications have no command."""

_AT_ONCE = 2048
_WEIGHT = "octet_length(e.state) + COALESCE(octet_length(c.members), 0)"
_FIRST = "(SELECT MIN(e.position) FROM {schema}.stored_events e WHERE e.command_id = c.command_id)"


@lru_cache(maxsize=1024)
def in_schema(query: str, schema: str) -> str:
    """A question to the tables of a schema."""
    return query.format(schema=f'"{schema}"')


def page_of(columns: str, found: str, order: str = "e.position", weight: str = _WEIGHT) -> str:
    """The first rows of a question in an order, until those before hold so many bytes.

    They are counted where the rows are, so that no more are sent. Its last value is a number of
    rows.
    """
    there = columns.split(", ")
    named = ", ".join(f"{column} AS c{number}" for number, column in enumerate(there))
    names = ", ".join(f"c{number}" for number in range(len(there)))
    by = ", ".join(f"c{there.index(column)}" for column in order.split(", "))
    return (
        f"SELECT {names} FROM (SELECT {names},"
        f" SUM(weight) OVER (ORDER BY {by} ROWS UNBOUNDED PRECEDING) - weight AS before"
        f" FROM (SELECT {named}, {weight} AS weight {found} ORDER BY {order} LIMIT %s) AS found"
        f") AS page WHERE before < {PAGE_BYTES} ORDER BY {by}"
    )


def is_full(rows: Sequence[Row], limit: int, *heavy: int) -> bool:
    """Whether a page ends where it is full; ``heavy`` are the columns that were weighed."""
    if len(rows) == limit:
        return True
    # Characters first: they are at most four bytes each.
    texts = [row[column] for row in rows for column in heavy]
    return sum(map(len, texts)) * 4 >= PAGE_BYTES and (
        sum(len(text.encode()) for text in texts) >= PAGE_BYTES
    )


_PAGE = page_of(_COLUMNS, f"{ANY} WHERE e.position > %s AND e.position <= %s")
_STREAMS = page_of(
    _COLUMNS,
    f"{ANY} WHERE (e.originator_id, e.originator_version) > (%s, %s)",
    "e.originator_id, e.originator_version",
)
_COMMANDS = page_of(
    f"c.command_id, {_COMMAND}, {_FIRST}",
    "FROM {schema}.commands c WHERE c.command_id > %s",
    "c.command_id",
    "octet_length(c.members)",
)


class AsStored(Reading):
    """The questions of whoever checks the log."""

    connection: Connection[Row]
    schema: str

    def log_id(self) -> str:
        """The id that the log was given when it was made."""
        found = self._all("SELECT log_id FROM {schema}.log LIMIT 2")
        if len(found) != 1:
            raise StoreDamaged("the log does not have the one id that every log is given")
        (log_id,) = found[0]
        return str(log_id)

    def rows(self, after: int | None = None) -> Iterator[list[Row]]:
        """Every event in order of position, as it is stored."""
        last = after or 0
        while rows := self._page(_PAGE, last, LARGEST, _AT_ONCE):
            yield [*map(as_given, rows)]
            last = rows[-1][0]

    def row(self, position: int) -> Row | None:
        """The row at a position."""
        if not 0 < position <= LARGEST:
            return None
        found = self._all(f"SELECT {_COLUMNS} {ANY} WHERE e.position = %s", position)
        return as_given(found[0]) if found else None

    def streams(self) -> Iterator[Row]:
        """Every event, as it is stored, in order of stream and version."""
        last: tuple[str, int] = ("", -LARGEST)
        while rows := self._some(_STREAMS, *last, _AT_ONCE):
            yield from map(as_given, rows)
            last = rows[-1][1:3]

    def commands(self) -> Iterator[Row]:
        """Every command in its order, as it is stored, with its first event's position."""
        last = 0
        while rows := self._some(_COMMANDS, last, _AT_ONCE):
            yield from rows
            last = rows[-1][0]

    def commands_without_events(self) -> list[Any]:
        """The ids of the commands that no event belongs to."""
        found = self._all(
            "SELECT c.command_id FROM {schema}.commands c WHERE NOT EXISTS (SELECT 1"
            " FROM {schema}.stored_events e WHERE e.command_id = c.command_id)"
            " ORDER BY c.command_id"
        )
        return [command_id for (command_id,) in found]

    def _all(self, query: str, *values: Any) -> list[Row]:
        """The rows of a question."""
        return self.connection.execute(in_schema(query, self.schema), values).fetchall()

    def _some(self, query: str, *values: Any) -> list[Row]:
        """The same, planned for these values: where they lead to a page, others lead to all."""
        asked = in_schema(query, self.schema)
        return self.connection.execute(asked, values, prepare=False).fetchall()

    def _page(self, query: str, after: int, until: int, limit: int) -> list[Row]:
        """A page of a question about what lies behind a position and up to another."""
        # Positions have no gaps, so the page is near: who is not told reads all that lies behind.
        near = min(until, after + limit)
        return self._some(query, after, near, limit) or (
            self._some(query, after, until, limit) if near < until else []
        )

    def _value(self, query: str, *values: Any) -> Any:
        row = self.connection.execute(in_schema(query, self.schema), values).fetchone()
        return None if row is None else row[0]
