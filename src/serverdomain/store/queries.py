"""What is asked of the tables of a log, on a connection that the caller holds."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec

from serverdomain.domain.events import Event
from serverdomain.store.codec import CODEC, PREFIX
from serverdomain.store.recorded import Fact, RecordedCommand, RecordedEvent, Stream

_COMMAND = (
    "c.command_id, c.kind, c.server_id, c.members, c.user_id, c.project_id, c.roles,"
    " c.request_id, c.correlation_id, c.caused_by, c.occurred_at, c.recorded_at"
)
_RECORDED = (
    f"SELECT e.position, e.originator_version, e.topic, e.state, {_COMMAND}"
    " FROM stored_events e JOIN commands c USING (command_id)"
)
LARGEST = 2**63 - 1
"""No version, position or time lies above it."""

_decode_roles = msgspec.json.Decoder(tuple[str, ...]).decode


def originator_id(server_id: str) -> str:
    """A server's id as its stream is named: 32 hex digits."""
    return server_id.replace("-", "")


def stream(
    connection: sqlite3.Connection,
    server_id: str,
    last: int = LARGEST,
    *,
    version: int = LARGEST,
    recorded_at: int = LARGEST,
    occurred_at: int = LARGEST,
) -> Stream:
    """A server's stream, of events at or below position ``last`` and within the other bounds."""
    # The pluses keep these conditions away from other indexes: the stream's own is the way.
    rows = connection.execute(
        "SELECT c.occurred_at, e.position, e.topic, e.state, e.originator_version"
        " FROM stored_events e JOIN commands c USING (command_id)"
        " WHERE e.originator_id = ? AND e.originator_version <= ? AND +e.position <= ?"
        " AND +c.recorded_at <= ? AND +c.occurred_at <= ? ORDER BY e.originator_version",
        (originator_id(server_id), version, last, recorded_at, occurred_at),
    ).fetchall()
    decode = CODEC.decode
    facts = [
        Fact(occurred_at, position, decode(topic, state, position))
        for occurred_at, position, topic, state, _ in rows
    ]
    return Stream(server_id, rows[-1][4] if rows else 0, facts)


def refusals_id(server_id: str) -> str:
    """The stream of what was refused to a server, as it is named: 32 hex digits."""
    return uuid5(UUID(server_id), "refusals").hex


def history(
    connection: sqlite3.Connection,
    server_id: str,
    last: int = LARGEST,
    *,
    with_refusals: bool = False,
) -> list[RecordedEvent]:
    """A server's events, at or below position ``last``, in order of occurrence.

    Each with all that the log says of it; ``with_refusals``, which have versions of their own, what
    was refused stands among them.
    """
    own = originator_id(server_id)
    beside = refusals_id(server_id) if with_refusals else own
    rows = connection.execute(
        f"{_RECORDED} WHERE e.originator_id IN (?, ?) AND +e.position <= ?"
        " ORDER BY c.occurred_at, e.position",
        (own, beside, last),
    )
    return list(_recorded(rows.fetchall()))


def recorded_after(
    connection: sqlite3.Connection,
    after: int,
    limit: int,
    before: int = LARGEST,
    names: Sequence[str] = (),
) -> list[RecordedEvent]:
    """Events of ours between two positions, in order of position; refusals are passed over.

    With ``names`` only events of these names. Raises `UnknownEvent` where one of them is a newer
    release's.
    """
    globs = [f"{PREFIX}{name}:*" for name in names]
    named = f" AND ({' OR '.join(['e.topic GLOB ?'] * len(globs))})" if globs else ""
    rows = connection.execute(
        f"{_RECORDED} WHERE e.position > ? AND e.position < ? AND c.refused = 0{named}"
        " ORDER BY e.position LIMIT ?",
        (after, before, *globs, limit),
    )
    return list(_recorded(rows.fetchall()))


def all_after(
    connection: sqlite3.Connection, after: int, limit: int
) -> Iterator[tuple[int, RecordedEvent | None]]:
    """The log behind a position, refusals too: each position, with its event if it is one of ours.

    Raises `UnknownEvent` once it comes to a newer release's.
    """
    rows = connection.execute(
        f"SELECT e.position, e.originator_version, e.topic, e.state, {_COMMAND}"
        " FROM stored_events e LEFT JOIN commands c USING (command_id)"
        " WHERE e.position > ? ORDER BY e.position LIMIT ?",
        (after, limit),
    )
    for row in rows.fetchall():
        ours = row[2].startswith(PREFIX) and row[4] is not None
        yield row[0], next(_recorded([row])) if ours else None


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
    connection: sqlite3.Connection, after: int, limit: int, until: int = LARGEST
) -> list[tuple[int, str, int, str, str, int | None]]:
    """The log's rows behind a position: position, stream, version, topic, state and time.

    Those at or below ``until``. Events of other applications are among them, without a time.
    """
    rows = connection.execute(
        "SELECT e.position, e.originator_id, e.originator_version, e.topic, e.state, c.occurred_at"
        " FROM stored_events e LEFT JOIN commands c USING (command_id)"
        " WHERE e.position > ? AND e.position <= ? ORDER BY e.position LIMIT ?",
        (after, until, limit),
    )
    return rows.fetchall()


def head(connection: sqlite3.Connection) -> int:
    """The log's last position, 0 where it is empty."""
    (position,) = connection.execute("SELECT MAX(position) FROM stored_events").fetchone()
    return position or 0


def first(connection: sqlite3.Connection) -> int:
    """The log's first position, 0 where it is empty."""
    (position,) = connection.execute("SELECT MIN(position) FROM stored_events").fetchone()
    return position or 0


def last_position(connection: sqlite3.Connection, until: int) -> int:
    """The last position at or below another, 0 where there is none."""
    (position,) = connection.execute(
        "SELECT MAX(position) FROM stored_events WHERE position <= ?", (until,)
    ).fetchone()
    return position or 0


def position_at(connection: sqlite3.Connection, recorded_at: int) -> int:
    """The last position that the log had taken in at a time, 0 before its first."""
    # Commands and events are numbered in one order, and recorded_at never decreases with it.
    row = connection.execute(
        "SELECT e.position FROM stored_events e WHERE e.command_id <= ("
        " SELECT command_id FROM commands WHERE recorded_at <= ?"
        " ORDER BY recorded_at DESC, command_id DESC LIMIT 1"
        ") ORDER BY e.command_id DESC, e.position DESC LIMIT 1",
        (recorded_at,),
    ).fetchone()
    return 0 if row is None else int(row[0])


def changed_between(connection: sqlite3.Connection, after: int, until: int) -> list[str]:
    """The ids of the servers that have events behind one position and up to another."""
    rows = connection.execute(
        "SELECT DISTINCT e.originator_id FROM stored_events e JOIN commands c USING (command_id)"
        " WHERE e.position > ? AND e.position <= ? AND c.refused = 0",
        (after, until),
    )
    return [server_id_of(stream) for (stream,) in rows.fetchall()]


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


def refused_since(connection: sqlite3.Connection, user_id: str, project_id: str, after: int) -> int:
    """How many refusals to an actor were recorded after a time."""
    (count,) = connection.execute(
        "SELECT COUNT(*) FROM commands"
        " WHERE refused = 1 AND user_id = ? AND project_id = ? AND recorded_at > ?",
        (user_id, project_id, after),
    ).fetchone()
    return int(count)


def version_of(connection: sqlite3.Connection, stream_name: str) -> int:
    """The version that a stream has come to, 0 where there is none."""
    (version,) = connection.execute(
        "SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?", (stream_name,)
    ).fetchone()
    return version or 0


def insert_command(
    connection: sqlite3.Connection, row: RecordedCommand, *, refused: bool = False
) -> int:
    """Append a command and give back its id; the one in ``row`` is not used."""
    cursor = connection.execute(
        "INSERT INTO commands (kind, server_id, members, user_id, project_id, roles, request_id,"
        " correlation_id, caused_by, occurred_at, recorded_at, refused)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (*_columns(row), refused),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def insert_events(
    connection: sqlite3.Connection,
    stream_name: str,
    version: int,
    events: Sequence[Event],
    command_id: int,
) -> list[int]:
    """Append a command's events to a stream behind ``version``; gives back their positions."""
    stored = [
        (stream_name, number, *CODEC.encode(event), command_id)
        for number, event in enumerate(events, start=version + 1)
    ]
    positions = []
    for row in stored:
        cursor = connection.execute(
            "INSERT INTO stored_events"
            " (originator_id, originator_version, topic, state, command_id)"
            " VALUES (?, ?, ?, ?, ?)",
            row,
        )
        assert cursor.lastrowid is not None
        positions.append(cursor.lastrowid)
    return positions


def insert_many(
    connection: sqlite3.Connection,
    batch: Iterable[tuple[RecordedCommand, int, Sequence[Event]]],
) -> None:
    """Append commands in their order, each with its events behind a version of its server."""
    (command_id,) = connection.execute(
        "SELECT COALESCE(MAX(command_id), 0) FROM commands"
    ).fetchone()
    position = head(connection)
    commands, stored = [], []
    for row, version, events in batch:
        command_id += 1
        commands.append((command_id, *_columns(row)))
        stream_name = originator_id(row.server_id)
        for number, event in enumerate(events, start=version + 1):
            position += 1
            stored.append((position, stream_name, number, *CODEC.encode(event), command_id))
    connection.executemany(
        "INSERT INTO commands (command_id, kind, server_id, members, user_id, project_id, roles,"
        " request_id, correlation_id, caused_by, occurred_at, recorded_at)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        commands,
    )
    connection.executemany(
        "INSERT INTO stored_events"
        " (position, originator_id, originator_version, topic, state, command_id)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        stored,
    )


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


def _columns(row: RecordedCommand) -> tuple[Any, ...]:
    return (
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
    )
