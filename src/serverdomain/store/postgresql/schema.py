"""The tables of a log in PostgreSQL, made once, by an owner: opening a log never makes any.

``steps`` says how many of `STEPS` a schema has taken. A released step never changes; a newer
release appends one, which the owner has taken by the same command. What the engine needs is in
standard SQL: numbers come from a counter row, and unique indexes have the last word.
"""

from __future__ import annotations

TABLES = ("commands", "stored_events", "head", "log", "reactions", "leases", "schema_steps")
"""The tables of a log."""

_TABLES = (
    """
    CREATE TABLE {schema}.commands (
        command_id bigint PRIMARY KEY CHECK (command_id > 0),
        kind text COLLATE "C" NOT NULL,
        server_id text COLLATE "C" NOT NULL,
        members text NOT NULL,
        user_id text COLLATE "C" NOT NULL,
        project_id text COLLATE "C" NOT NULL,
        roles text NOT NULL,
        request_id text COLLATE "C" NOT NULL,
        correlation_id text,
        caused_by text,
        occurred_at bigint NOT NULL,
        recorded_at bigint NOT NULL,
        refused smallint NOT NULL DEFAULT 0 CHECK (refused IN (0, 1))
    )
    """,
    # The command of an event says who and when; an event of another application has none.
    """
    CREATE TABLE {schema}.stored_events (
        position bigint PRIMARY KEY CHECK (position > 0),
        originator_id text COLLATE "C" NOT NULL,
        originator_version bigint NOT NULL,
        topic text COLLATE "C" NOT NULL,
        state text NOT NULL,
        command_id bigint,
        CHECK (command_id IS NOT NULL OR topic NOT LIKE 'serverdomain:%')
    )
    """,
    "CREATE UNIQUE INDEX stored_events_by_stream"
    " ON {schema}.stored_events (originator_id, originator_version)",
    "CREATE INDEX stored_events_by_command ON {schema}.stored_events (command_id)",
    "CREATE INDEX commands_by_server ON {schema}.commands (server_id)",
    "CREATE INDEX commands_by_time ON {schema}.commands (recorded_at)",
    "CREATE UNIQUE INDEX commands_by_request ON {schema}.commands (request_id) WHERE refused = 0",
    "CREATE INDEX commands_refused ON {schema}.commands (user_id, project_id, recorded_at)"
    " WHERE refused = 1",
    "CREATE TABLE {schema}.log (log_id text NOT NULL)",
    # The one row that every write moves, and so the last numbers given. What it was recorded at
    # before is in it too, for the statement that moved it. Nobody else writes while it says that
    # the log is copied from elsewhere, nor once it says that it went elsewhere.
    """
    CREATE TABLE {schema}.head (
        position bigint NOT NULL,
        command_id bigint NOT NULL,
        recorded_at bigint NOT NULL,
        recorded_before bigint NOT NULL,
        copied_from text,
        moved_to text
    )
    """,
    # A write looks for the row from the position on that it knows of: so it passes over none of
    # the row's older versions, however many a long reading keeps from being removed.
    "CREATE UNIQUE INDEX head_by_position ON {schema}.head (position)",
    # No facts, but kept where every process that runs one finds them.
    """
    CREATE TABLE {schema}.reactions (
        name text COLLATE "C" PRIMARY KEY,
        position bigint NOT NULL,
        stopped_at bigint,
        why text
    )
    """,
    # Which process of all nodes may run which reaction, until when, and the how manieth it is.
    """
    CREATE TABLE {schema}.leases (
        name text COLLATE "C" PRIMARY KEY,
        holder text NOT NULL,
        fence bigint NOT NULL,
        held_until timestamptz NOT NULL
    )
    """,
)

STEPS: tuple[tuple[str, ...], ...] = (_TABLES,)
"""What each schema version adds to the one before, as SQL."""

BEGINNING = (
    # A plan is kept for long, and a table of one page is read whole. With so much room in it the
    # row is looked for by the index from the first plan on, before older versions of it lie there.
    "INSERT INTO {schema}.head SELECT -a.n, 0, 0, 0 FROM generate_series(1, 4000) AS a(n)",
    "DELETE FROM {schema}.head",
    "ALTER TABLE {schema}.head SET (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0,"
    " autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)",
    "INSERT INTO {schema}.head VALUES (0, 0, 0, 0)",
    "ANALYZE {schema}.head",
)
"""What a log holds from the beginning on, beside its id, and how its counter row is kept."""

VERSION = "CREATE TABLE {schema}.schema_steps (steps integer NOT NULL, guarded boolean NOT NULL)"
"""Where it is kept which steps were taken, and whether there are guards."""

INDEXES = (
    "stored_events_by_stream",
    "stored_events_by_command",
    "commands_by_server",
    "commands_by_time",
    "commands_by_request",
    "commands_refused",
    "head_by_position",
)
"""The indexes, those of primary keys apart."""
