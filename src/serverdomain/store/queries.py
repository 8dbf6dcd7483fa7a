"""What is asked of the tables of a log, on a connection that the caller holds."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from serverdomain.store.codec import CODEC
from serverdomain.store.recorded import Fact, RecordedCommand, RecordedEvent, Stream

_COMMAND = (
    "c.command_id, c.kind, c.server_id, c.members, c.user_id, c.project_id, c.roles,"
    " c.request_id, c.correlation_id, c.caused_by, c.occurred_at, c.recorded_at"
)
_RECORDED = (
    f"SELECT e.position, e.originator_version, e.topic, e.state, {_COMMAND}"
    " FROM stored_events e JOIN commands c USING (command_id)"
)
_LARGEST = 2**63 - 1

_decode_roles = msgspec.json.Decoder(tuple[str, ...]).decode


def originator_id(server_id: str) -> str:
    """A server's id as its stream is named: 32 hex digits."""
    return server_id.replace("-", "")


def stream(connection: sqlite3.Connection, server_id: str, last: int = _LARGEST) -> Stream:
    """A server's stream, of events at or below position ``last``."""
    rows = connection.execute(
        "SELECT c.occurred_at, e.position, e.topic, e.state, e.originator_version"
        " FROM stored_events e JOIN commands c USING (command_id)"
        " WHERE e.originator_id = ? AND e.position <= ? ORDER BY e.originator_version",
        (originator_id(server_id), last),
    ).fetchall()
    decode = CODEC.decode
    facts = [
        Fact(occurred_at, position, decode(topic, state, position))
        for occurred_at, position, topic, state, _ in rows
    ]
    return Stream(server_id, rows[-1][4] if rows else 0, facts)


def history(connection: sqlite3.Connection, server_id: str) -> list[RecordedEvent]:
    """A server's events with all that the log says of them, in order of occurrence."""
    rows = connection.execute(
        f"{_RECORDED} WHERE e.originator_id = ? ORDER BY c.occurred_at, e.position",
        (originator_id(server_id),),
    )
    return list(_recorded(rows.fetchall()))


def recorded_after(
    connection: sqlite3.Connection, after: int, limit: int, before: int = _LARGEST
) -> list[RecordedEvent]:
    """Events of ours between two positions, in order of position.

    Raises `UnknownEvent` where one of them is a newer release's.
    """
    rows = connection.execute(
        f"{_RECORDED} WHERE e.position > ? AND e.position < ? ORDER BY e.position LIMIT ?",
        (after, before, limit),
    )
    return list(_recorded(rows.fetchall()))


def command(connection: sqlite3.Connection, request_id: str) -> RecordedCommand | None:
    """The recorded command that bears a request id; refused ones claim none."""
    row = connection.execute(
        f"SELECT {_COMMAND} FROM commands c WHERE c.request_id = ? AND c.refused = 0",
        (request_id,),
    ).fetchone()
    return None if row is None else _command(row)


def events_of(connection: sqlite3.Connection, command_id: int) -> list[RecordedEvent]:
    """The events of a command, in order of position."""
    rows = connection.execute(
        f"{_RECORDED} WHERE e.command_id = ? ORDER BY e.position", (command_id,)
    )
    return list(_recorded(rows.fetchall()))


def page(
    connection: sqlite3.Connection, after: int, limit: int
) -> list[tuple[int, str, int, str, str, int | None]]:
    """The log's rows behind a position: position, stream, version, topic, state and time.

    Events of other applications are among them, without a time.
    """
    rows = connection.execute(
        "SELECT e.position, e.originator_id, e.originator_version, e.topic, e.state, c.occurred_at"
        " FROM stored_events e LEFT JOIN commands c USING (command_id)"
        " WHERE e.position > ? ORDER BY e.position LIMIT ?",
        (after, limit),
    )
    return rows.fetchall()


def head(connection: sqlite3.Connection) -> int:
    """The log's last position, 0 where it is empty."""
    (position,) = connection.execute("SELECT MAX(position) FROM stored_events").fetchone()
    return position or 0


def events_behind(connection: sqlite3.Connection, position: int) -> int:
    """How many events stand behind a position."""
    (count,) = connection.execute(
        "SELECT COUNT(*) FROM stored_events WHERE position > ?", (position,)
    ).fetchone()
    return int(count)


def latest_recorded_at(connection: sqlite3.Connection) -> int | None:
    """When the log took its latest command in."""
    row = connection.execute(
        "SELECT recorded_at FROM commands ORDER BY command_id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else row[0]


def positions_after(connection: sqlite3.Connection, server_id: str, after: int) -> list[int]:
    """The positions of a server's events behind a position, in order."""
    rows = connection.execute(
        "SELECT position FROM stored_events WHERE originator_id = ? AND position > ?"
        " ORDER BY position",
        (originator_id(server_id), after),
    )
    return [position for (position,) in rows]


def log_id(connection: sqlite3.Connection) -> str:
    """The id that a log is given when it is made."""
    (found,) = connection.execute("SELECT log_id FROM log").fetchone()
    return str(found)


def row_hash(connection: sqlite3.Connection, position: int) -> str | None:
    """SHA-256, in hex, of the log's row at a position with its command's; ``None`` without one."""
    row = connection.execute(
        f"SELECT e.position, e.originator_id, e.originator_version, e.topic, e.state, {_COMMAND}"
        " FROM stored_events e LEFT JOIN commands c USING (command_id) WHERE e.position = ?",
        (position,),
    ).fetchone()
    return None if row is None else hashlib.sha256(msgspec.json.encode(row)).hexdigest()


def insert_command(connection: sqlite3.Connection, row: RecordedCommand) -> int:
    """Append a command and give back its id; the one in ``row`` is not used."""
    cursor = connection.execute(
        "INSERT INTO commands (kind, server_id, members, user_id, project_id, roles, request_id,"
        " correlation_id, caused_by, occurred_at, recorded_at) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            row.kind,
            row.server_id,
            row.members,
            row.user_id,
            row.project_id,
            msgspec.json.encode(row.roles).decode(),
            row.request_id,
            row.correlation_id,
            row.caused_by,
            row.occurred_at,
            row.recorded_at,
        ),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def server_id_of(stream_name: str) -> str:
    """The server's id of a stream's name."""
    # Cut, not read as a UUID: the digits are our own, and reading them was a fifth of a replay.
    name = stream_name
    return f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}"


def _command(columns: tuple[Any, ...]) -> RecordedCommand:
    return RecordedCommand(*(*columns[:6], _decode_roles(columns[6]), *columns[7:]))


def _recorded(rows: Iterable[tuple[Any, ...]]) -> Iterator[RecordedEvent]:
    for position, version, topic, state, *columns in rows:
        event = CODEC.decode(topic, state, position)
        yield RecordedEvent(position, version, topic, event, _command(tuple(columns)))
