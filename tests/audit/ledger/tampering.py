"""Edits made straight in a store's file, past its guards, and what each of them did.

What happened is told by comparing the leaves before and after with full knowledge of both, which a
verifier has not: it has the hashes of the old ones alone.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.audit.ledger.independent import leaves_of_store

Found = set[tuple[int, str]]
"""Positions, each with what happened there; of a re-ordered event also where it stands now."""


@contextmanager
def editing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that nothing keeps from anything."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    guards = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for (name,) in guards:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    try:
        yield connection
    finally:
        connection.close()


def happened(before: dict[int, bytes], after: dict[int, bytes], covered: int) -> Found:
    """What happened to the first ``covered`` leaves, whose positions had no gaps."""
    signed = dict(list(before.items())[:covered])
    now = {_content(one): position for position, one in after.items()}
    found: Found = set()
    moved, claimed = set(), set()
    for position, one in signed.items():
        stands = now.get(_content(one))
        if after.get(position) != one and stands is not None:
            found.add((position, f"re-ordered {stands}"))
            moved.add(position)
            claimed.add(stands)
    for position in signed.keys() - moved:
        if after.get(position) != signed[position]:
            taken = position in after and position not in claimed
            found.add((position, "altered" if taken else "removed"))
    for position in after.keys() - claimed:
        if position in moved or (position not in signed and position <= covered):
            found.add((position, "inserted"))
    return found


def told(problems: Any) -> Found:
    """The same, as a verdict tells it."""
    found: Found = set()
    for problem in problems:
        for position in range(problem.first, problem.last + 1):
            to = "" if problem.now is None else f" {problem.now + position - problem.first}"
            assert (position, problem.what + to) not in found, "nothing is told twice"
            found.add((position, problem.what + to))
    return found


def _content(leaf: bytes) -> bytes:
    """A leaf without its position."""
    begin = 4
    first = leaf[begin]
    width = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}.get(first, 0)
    return leaf[begin + 1 + width :]


# Edits, each at random


def _value(chance: random.Random) -> Any:
    """Something to put into a column, of any type that SQLite takes."""
    return chance.choice(
        (
            None,
            chance.randrange(-(2**63), 2**63),
            chance.random(),
            "text",
            "x" * chance.randrange(300),
            "nul\0in it",
            b"bytes",
            b"\xff\xfe",
            "é" * 40,
            "",
            b"",
            "x" * 70_000,
        )
    )


EVENT_COLUMNS = ("originator_id", "originator_version", "topic", "state", "command_id")
COMMAND_COLUMNS = (
    "kind",
    "server_id",
    "members",
    "user_id",
    "project_id",
    "roles",
    "request_id",
    "correlation_id",
    "caused_by",
    "occurred_at",
    "recorded_at",
    "refused",
)


def _some(connection: sqlite3.Connection, chance: random.Random, table: str) -> int:
    key = "position" if table == "stored_events" else "command_id"
    keys = [found for (found,) in connection.execute(f"SELECT {key} FROM {table} ORDER BY {key}")]
    return int(chance.choice(keys)) if keys else 1


def alter_event(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute(
        f"UPDATE stored_events SET {chance.choice(EVENT_COLUMNS)} = ? WHERE position = ?",
        (_value(chance), _some(connection, chance, "stored_events")),
    )


def alter_command(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute(
        f"UPDATE commands SET {chance.choice(COMMAND_COLUMNS)} = ? WHERE command_id = ?",
        (_value(chance), _some(connection, chance, "commands")),
    )


def spoil_text(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute(
        "UPDATE stored_events SET state = CAST(x'7bff00fe7d' AS TEXT) WHERE position = ?",
        (_some(connection, chance, "stored_events"),),
    )


def remove_event(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute(
        "DELETE FROM stored_events WHERE position = ?",
        (_some(connection, chance, "stored_events"),),
    )


def remove_range(connection: sqlite3.Connection, chance: random.Random) -> None:
    first = _some(connection, chance, "stored_events")
    connection.execute(
        "DELETE FROM stored_events WHERE position BETWEEN ? AND ?",
        (first, first + chance.randrange(8)),
    )


def remove_command(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute(
        "DELETE FROM commands WHERE command_id = ?", (_some(connection, chance, "commands"),)
    )


def renumber_command(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute(
        "UPDATE commands SET command_id = command_id + 100000 WHERE command_id = ?",
        (_some(connection, chance, "commands"),),
    )


def swap_positions(connection: sqlite3.Connection, chance: random.Random) -> None:
    one, other = (_some(connection, chance, "stored_events") for _ in range(2))
    move = "UPDATE stored_events SET position = ? WHERE position = ?"
    for to, come in ((-1, one), (one, other), (other, -1)):
        connection.execute(move, (to, come))


def swap_states(connection: sqlite3.Connection, chance: random.Random) -> None:
    one, other = (_some(connection, chance, "stored_events") for _ in range(2))
    states = dict(
        connection.execute(
            "SELECT position, CAST(state AS BLOB) FROM stored_events WHERE position IN (?, ?)",
            (one, other),
        )
    )
    for to, come in ((one, other), (other, one)):
        connection.execute(
            "UPDATE stored_events SET state = CAST(? AS TEXT) WHERE position = ?",
            (states.get(come), to),
        )


def move_event(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute(
        "UPDATE OR REPLACE stored_events SET position = ? WHERE position = ?",
        (chance.randrange(-3, 400), _some(connection, chance, "stored_events")),
    )


def copy_event(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Into a place that is free, or instead of what stands there."""
    connection.execute(
        "INSERT OR REPLACE INTO stored_events SELECT ?, originator_id, originator_version + 1000,"
        " topic, state, command_id FROM stored_events WHERE position = ?",
        (chance.randrange(-3, 400), _some(connection, chance, "stored_events")),
    )


def shift(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Make room, as who wants to slip an event in; now and then one is slipped in."""
    first, by = _some(connection, chance, "stored_events"), chance.randrange(1, 4)
    for sign in (-1, 1):
        connection.execute(
            "UPDATE stored_events SET position = ? * position + ? WHERE ABS(position) >= ?"
            " AND position * ? < 0",
            (-1, by if sign == 1 else 0, first, sign),
        )
    if chance.random() < 0.5:
        connection.execute(
            "INSERT OR IGNORE INTO stored_events SELECT ?, 'slipped', 1, topic, state, command_id"
            " FROM stored_events WHERE position = ?",
            (first, first + by),
        )


def close_up(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Take an event out and give its place to the next, and so on."""
    gone = _some(connection, chance, "stored_events")
    connection.execute("DELETE FROM stored_events WHERE position = ?", (gone,))
    connection.execute("UPDATE stored_events SET position = -position WHERE position > ?", (gone,))
    connection.execute("UPDATE stored_events SET position = -position - 1 WHERE position < 0")


def cut_off(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute(
        "DELETE FROM stored_events WHERE position >= ?",
        (_some(connection, chance, "stored_events"),),
    )


def steal(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Give an event to another stream."""
    connection.execute(
        "UPDATE stored_events SET originator_id = 'another' || position WHERE position = ?",
        (_some(connection, chance, "stored_events"),),
    )


def alter_all(connection: sqlite3.Connection, chance: random.Random) -> None:
    connection.execute("UPDATE commands SET user_id = 'nobody'")


EDITS: tuple[Callable[[sqlite3.Connection, random.Random], None], ...] = (
    alter_event,
    alter_command,
    spoil_text,
    remove_event,
    remove_range,
    remove_command,
    renumber_command,
    swap_positions,
    swap_states,
    move_event,
    copy_event,
    shift,
    close_up,
    cut_off,
    steal,
    alter_all,
)


def tamper(path: Path, chance: random.Random, edits: int) -> dict[int, bytes]:
    """Edit a file at random, so many times, and give back its leaves then."""
    with editing(path) as connection:
        for _ in range(edits):
            edit = chance.choice(EDITS)
            try:
                edit(connection, chance)
            except sqlite3.IntegrityError:
                continue  # What the table itself does not take cannot be done to it.
    return leaves_of_store(path)
