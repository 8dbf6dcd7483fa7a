"""A batch that was sent to be written: whether it is there, and the positions that it has."""

from __future__ import annotations

from msgspec.structs import replace

from serverdomain.store.log import Answered, Row
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.connection import Watched
from serverdomain.store.postgresql.ending import FROM_THERE_ON
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.request import Outcome

FOR_NOW = 2**62
"""Behind it lie the positions and commands of what is not written yet, and no others."""

TOUCH = f"UPDATE {{schema}}.head SET position = position WHERE {FROM_THERE_ON}"
"""Writes the counter row as it is."""

_SENT = """
SELECT MIN(e.position), MIN(c.command_id) FROM {schema}.stored_events e JOIN {schema}.commands c
    ON c.command_id = e.command_id
WHERE c.kind = %s AND c.server_id = %s AND c.members = %s AND c.user_id = %s AND c.project_id = %s
    AND c.roles = %s AND c.request_id = %s AND c.correlation_id IS NOT DISTINCT FROM %s
    AND c.caused_by IS NOT DISTINCT FROM %s AND c.occurred_at = %s AND c.recorded_at >= %s
    AND c.refused = %s
"""


def write_once_more(connection: Watched, schema: str) -> None:
    """Have what is committed on the replica, too, if it may not be there yet.

    Behind a commit of one's own it is. Raises `CommitFailed` where that cannot be told.
    """
    with connection.certain():
        connection.execute(in_schema(TOUCH, schema))


class Sent:
    """One batch; ``behind`` are the position and the command behind which it stands, once known."""

    def __init__(self, schema: str, first: Row) -> None:
        self._schema = schema
        self._first = first
        self.behind: Row = ()

    def is_written(self, connection: Watched) -> bool:
        """Whether it happened, and stays so."""
        # One statement wrote all or nothing, so the first command stands for all.
        found = connection.execute(in_schema(_SENT, self._schema), self._first).fetchone()
        if found is None or found[0] is None:
            return False
        write_once_more(connection, self._schema)
        self.behind = found[0] - 1, found[1] - 1
        return True

    def position(self, position: int) -> int:
        """The position that a row of it has, which had one for now."""
        return int(position - FOR_NOW + self.behind[0])

    def answer(self, answer: Answered) -> Answered:
        """What was answered with numbers for now, with those that it has."""
        if isinstance(answer, RecordedCommand) and answer.command_id > FOR_NOW:
            return replace(answer, command_id=answer.command_id - FOR_NOW + self.behind[1])
        if not isinstance(answer, Outcome):
            return answer
        server, position = answer.server, answer.position
        if server is not None and server.first_position > FOR_NOW:
            server = replace(server, first_position=self.position(server.first_position))
        if position is not None:
            position = self.position(position)
        return replace(answer, server=server, position=position)
