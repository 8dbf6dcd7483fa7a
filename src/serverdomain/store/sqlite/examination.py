"""A log on SQLite for whoever checks it: opened to be read alone, and what SQLite can say of it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.finding import Finding
from serverdomain.store.log import Examination
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite import schema
from serverdomain.store.sqlite.as_stored import any_text
from serverdomain.store.sqlite.place import Place
from serverdomain.store.sqlite.read_only import opened
from serverdomain.store.sqlite.reading import SQLiteReading

_CACHE_KIB = 32 * 1024
"""How much of the file a pass keeps in memory."""

# What has no SQL of its own belongs to a table.
_MASTER = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_NOT_OURS = re.compile(r"sqlite_stat\d|tracking|snapshots", re.ASCII)
"""What may stand beside: SQLite's own statistics, and what `eventsourcing` puts there."""


class SQLiteExamination(SQLiteReading, Examination):
    """One consistent state of a log that need not be sound."""

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the file, the tables, the indexes, the guards and the counters."""
        for line in incoherences(self.connection):
            yield Finding("file", f"the log's file is incoherent: {line}")
        (found,) = self._all("PRAGMA user_version")[0]
        moved, taken = divmod(found, schema.MOVED)
        there = _made(self.connection)
        promised = _promised(taken, moved)
        for (kind, name), sql in promised.items():
            if (kind, name) not in there:
                yield Finding("schema", f"the {_word(kind)} {name} is missing")
            elif there[kind, name] != sql:
                yield Finding("schema", f"the {_word(kind)} {name} is not as it was made")
        for kind, name in sorted(there.keys() - _promised(len(schema.STEPS), moved).keys()):
            if kind == "trigger" or not _NOT_OURS.fullmatch(name):
                yield Finding("schema", f"the {kind} {name} is none of the store's own")
        if self._value("SELECT COUNT(*) FROM log") != 1:
            yield Finding("schema", "the log does not have the one id that every log is given")
        yield from self._counted("stored_events", "position")
        yield from self._counted("commands", "command_id")

    def bookmarks(self) -> list[Bookmark]:
        """The places of all reactions; none where there is no table for them."""
        tables = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'reactions'"
        return super().bookmarks() if self._value(tables) else []

    def bookmark(self, name: str) -> Bookmark | None:
        """The place of a reaction."""
        return next((one for one in self.bookmarks() if one.name == name), None)

    def _counted(self, table: str, column: str) -> Iterator[Finding]:
        # SQLite remembers the last number that it gave: where rows went from the end, it is ahead.
        last = self._value(f"SELECT COALESCE(MAX({column}), 0) FROM {table}")
        query = "SELECT seq FROM sqlite_sequence WHERE name = ?"
        given = [number for (number,) in self._all(query, table)] or [0]
        if given != [last]:
            numbers = " and ".join(map(str, given))
            yield Finding(
                "schema", f"{table} ends at {column} {last}, the last one given was {numbers}"
            )


@contextmanager
def examine(place: Place) -> Iterator[SQLiteExamination]:
    """A store at a place, to be read alone.

    Raises `StoreMissing`, `StoreForeign` and `StoreNewer` where there is nothing of ours to check,
    and `StoreDamaged` where there is no database at all.
    """
    if place.path is None or not places.holds(place.path, schema.APPLICATION_ID, "store"):
        raise place.missing
    with read_only(place) as connection:
        if schema.version(connection, place) == 0:
            raise place.missing
        yield SQLiteExamination(connection)


@contextmanager
def read_only(place: Place) -> Iterator[sqlite3.Connection]:
    """A connection to a file of ours that cannot write, at one moment, whatever text is in it."""
    with opened(place) as connection:
        connection.text_factory = any_text
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        yield connection


def incoherences(connection: sqlite3.Connection) -> Iterator[str]:
    """What SQLite's own check finds: pages, and indexes that do not match their table."""
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield " ".join(line.split())


def _made(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    return {
        (kind, name): " ".join((sql or "").split())
        for kind, name, sql in connection.execute(_MASTER).fetchall()
    }


def _promised(taken: int, moved: int) -> dict[tuple[str, str], str]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for step in (*schema.STEPS[:taken], *([schema.MOVING] if moved else [])):
            for statement in step:
                fresh.execute(statement)
        return _made(fresh)


def _word(kind: str) -> str:
    return "guard" if kind == "trigger" else kind
