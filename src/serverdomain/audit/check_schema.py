"""Whether a file is sound, and has the tables, indexes and guards that a store is made with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from serverdomain.audit.finding import Finding
from serverdomain.store import bookmarks, queries, schema

_MASTER = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"


def integrity(connection: sqlite3.Connection, whose: str) -> Iterator[Finding]:
    """What SQLite's own check finds: pages, and indexes that do not match their table."""
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield Finding("file", f"the {whose}'s file is incoherent: {' '.join(line.split())}")


def as_made(log: sqlite3.Connection) -> Iterator[Finding]:
    """Tables, indexes and guards that are missing or are not as they were made."""
    (taken,) = log.execute("PRAGMA user_version").fetchone()
    there = _made(log)
    promised = _promised(taken)
    for (kind, name), sql in promised.items():
        if (kind, name) not in there:
            yield Finding("schema", f"the {_word(kind)} {name} is missing")
        elif there[kind, name] != sql:
            yield Finding("schema", f"the {_word(kind)} {name} is not as it was made")
    for kind, name in sorted(there.keys() - promised.keys()):
        if kind == "trigger":
            yield Finding("schema", f"the trigger {name} is none of the store's own")
    if log.execute("SELECT COUNT(*) FROM log").fetchone() != (1,):
        yield Finding("schema", "the log does not have the one id that every log is given")
    yield from _counted(log, "stored_events", "position")
    yield from _counted(log, "commands", "command_id")
    if ("table", "reactions") in there:
        yield from _ahead(log)


def _counted(log: sqlite3.Connection, table: str, column: str) -> Iterator[Finding]:
    # SQLite remembers the last number that it gave: where rows went from the end, it is ahead.
    (last,) = log.execute(f"SELECT COALESCE(MAX({column}), 0) FROM {table}").fetchone()
    row = log.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    given = 0 if row is None else row[0]
    if given != last:
        yield Finding("schema", f"{table} ends at {column} {last}, the last one given was {given}")


def _ahead(log: sqlite3.Connection) -> Iterator[Finding]:
    head = queries.head(log)
    for place in bookmarks.bookmarks(log):
        if place.position > head:
            yield Finding(
                "reaction",
                f"{place.name} stands at position {place.position}, the log ends at {head}",
            )


def _made(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    return {
        (kind, name): " ".join((sql or "").split())
        for kind, name, sql in connection.execute(_MASTER).fetchall()
    }


def _promised(taken: int) -> dict[tuple[str, str], str]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for step in schema.STEPS[:taken]:
            for statement in step:
                fresh.execute(statement)
        return _made(fresh)


def _word(kind: str) -> str:
    return "guard" if kind == "trigger" else kind
