"""The tables of a log, and the triggers that guard them: nothing in them is ever rewritten.

``PRAGMA user_version`` says how many of `STEPS` a file has taken, and `MOVED` more once its log
went elsewhere. A released step never changes. A newer release appends one, and an older file takes
it when it is opened.
"""

from __future__ import annotations

import sqlite3
from uuid import uuid4

from serverdomain.errors import StoreNewer

APPLICATION_ID = 0x5D6C6F67
"""``PRAGMA application_id`` of a store."""

_TABLES = (
    """
    CREATE TABLE commands (
        command_id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (command_id > 0),
        kind TEXT NOT NULL,
        server_id TEXT NOT NULL,
        members TEXT NOT NULL,
        user_id TEXT NOT NULL,
        project_id TEXT NOT NULL,
        roles TEXT NOT NULL,
        request_id TEXT NOT NULL,
        correlation_id TEXT,
        caused_by TEXT,
        occurred_at INTEGER NOT NULL,
        recorded_at INTEGER NOT NULL,
        refused INTEGER NOT NULL DEFAULT 0 CHECK (refused IN (0, 1))
    )
    """,
    # The command of an event says who and when; an event of another application has none.
    """
    CREATE TABLE stored_events (
        position INTEGER PRIMARY KEY AUTOINCREMENT CHECK (position > 0),
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state TEXT NOT NULL,
        command_id INTEGER,
        UNIQUE (originator_id, originator_version),
        CHECK (command_id IS NOT NULL OR topic NOT GLOB 'serverdomain:*')
    )
    """,
    "CREATE TABLE log (log_id TEXT NOT NULL)",
    "CREATE INDEX commands_by_server ON commands (server_id)",
    "CREATE INDEX commands_by_time ON commands (recorded_at)",
    "CREATE UNIQUE INDEX commands_by_request ON commands (request_id) WHERE refused = 0",
    "CREATE INDEX stored_events_by_command ON stored_events (command_id)",
)

# INSERT OR REPLACE deletes without firing a delete trigger, so these look before the insert for
# what it would replace. At that time NEW.position is -1 if none is given, and NEW.refused is still
# the NULL that REPLACE turns into 0.
_INSERT_GUARDS = (
    """
    CREATE TRIGGER stored_events_append BEFORE INSERT ON stored_events BEGIN
        SELECT RAISE(ABORT, 'stored_events is append-only: a position is never used again')
        WHERE NEW.position <> -1
            AND NEW.position <= (SELECT MAX(position) FROM stored_events);
        SELECT RAISE(ABORT, 'stored_events is append-only: a stream is one application''s')
        WHERE (NEW.topic GLOB 'serverdomain:*') <> (
            SELECT topic GLOB 'serverdomain:*' FROM stored_events
                WHERE originator_id = NEW.originator_id ORDER BY originator_version LIMIT 1
        );
        SELECT RAISE(ABORT, 'stored_events is append-only: versions follow without a gap')
        WHERE NEW.originator_version <> COALESCE(
            (SELECT MAX(originator_version) + 1 FROM stored_events
                WHERE originator_id = NEW.originator_id),
            CASE WHEN NEW.topic GLOB 'serverdomain:*' THEN 1 ELSE NEW.originator_version END
        );
    END
    """,
    """
    CREATE TRIGGER commands_append BEFORE INSERT ON commands BEGIN
        SELECT RAISE(ABORT, 'commands is append-only: a command_id is never used again')
        WHERE NEW.command_id <> -1
            AND NEW.command_id <= (SELECT MAX(command_id) FROM commands);
        SELECT RAISE(ABORT, 'commands is append-only: a request_id is recorded once')
        WHERE NEW.refused IS NOT 1 AND EXISTS (
            SELECT 1 FROM commands WHERE request_id = NEW.request_id AND refused = 0
        );
        SELECT RAISE(ABORT, 'commands is append-only: recorded_at never decreases')
        WHERE NEW.recorded_at < (
            SELECT recorded_at FROM commands ORDER BY command_id DESC LIMIT 1
        );
    END
    """,
    """
    CREATE TRIGGER log_append BEFORE INSERT ON log BEGIN
        SELECT RAISE(ABORT, 'log is append-only: a log has one id')
        WHERE EXISTS (SELECT 1 FROM log);
    END
    """,
)

_UPDATE_AND_DELETE_GUARDS = tuple(
    f"""
    CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} BEGIN
        SELECT RAISE(ABORT, '{table} is append-only: {what} is refused');
    END
    """
    for table in ("stored_events", "commands", "log")
    for what in ("UPDATE", "DELETE")
)

# The reactions' bookmarks are no facts, but kept where every process that runs one finds them.
_REACTIONS = (
    """
    CREATE TABLE reactions (
        name TEXT PRIMARY KEY,
        position INTEGER NOT NULL,
        stopped_at INTEGER,
        why TEXT
    )
    """,
)

# Before a refusal is recorded, the recent ones of its actor are counted.
_REFUSALS = (
    "CREATE INDEX commands_refused ON commands (user_id, project_id, recorded_at)"
    " WHERE refused = 1",
)

STEPS: tuple[tuple[str, ...], ...] = (
    (*_TABLES, *_INSERT_GUARDS, *_UPDATE_AND_DELETE_GUARDS),
    _REACTIONS,
    _REFUSALS,
)
"""What each schema version adds to the one before, as SQL."""


MOVED = 1_000
"""What the version is more by once the log went elsewhere: older releases leave it alone then."""

_WENT = "SELECT RAISE(ABORT, 'the log went elsewhere: the row in moved says where');"

MOVING = (
    "CREATE TABLE moved (place TEXT NOT NULL)",
    *(
        f"CREATE TRIGGER {table}_moved_{what.lower()} BEFORE {what} ON {table} BEGIN {_WENT} END"
        for table, whats in (
            ("stored_events", ("INSERT",)),
            ("commands", ("INSERT",)),
            ("reactions", ("INSERT", "UPDATE", "DELETE")),
            ("moved", ("UPDATE", "DELETE")),
        )
        for what in whats
    ),
)
"""What a log is given when it goes elsewhere, as SQL: from then on nobody can write to it."""


def move(connection: sqlite3.Connection, to: str) -> None:
    """Let nobody write to a log any more, which goes elsewhere; in the caller's transaction."""
    (taken,) = connection.execute("PRAGMA user_version").fetchone()
    for statement in MOVING:
        connection.execute(statement)
    connection.execute("INSERT INTO moved VALUES (?)", (to,))
    connection.execute(f"PRAGMA user_version = {taken + MOVED}")


def moved_to(connection: sqlite3.Connection) -> str | None:
    """Where a log went; ``None`` for one that is here."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found < MOVED:
        return None
    (place,) = connection.execute("SELECT place FROM moved").fetchone()
    return str(place)


def version(connection: sqlite3.Connection, place: object) -> int:
    """How many steps the file has taken. Raises `StoreNewer` for more than this release knows."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    taken = found - MOVED if found >= MOVED else found
    if taken > len(STEPS):
        raise StoreNewer(
            f"{place} has schema version {taken}, this release of serverdomain reads up to "
            f"{len(STEPS)}: upgrade to use it"
        )
    return int(taken)


def bring_up(connection: sqlite3.Connection, place: object, log_id: str | None = None) -> None:
    """Take the missing steps, inside the caller's transaction; a new log gets a new id, or this."""
    taken = version(connection, place)
    for step in STEPS[taken:]:
        for statement in step:
            connection.execute(statement)
    if taken == 0:
        connection.execute("INSERT INTO log (log_id) VALUES (?)", (log_id or str(uuid4()),))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(STEPS)}")
