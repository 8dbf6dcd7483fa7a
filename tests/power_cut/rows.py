"""A small workload on raw sqlite3 and its judge, for the tests of the power cut itself.

A transaction writes several rows over several pages and counts itself in a page that every
transaction changes, so that half of one shows whichever half it is. It ends in one of three
outcomes, and the judge holds each to its word.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Outcome:
    """It happened (whole), did not (refused), or its commit failed and nobody knows (unknown)."""

    transaction: int
    word: Literal["whole", "refused", "unknown"]


class Lost(AssertionError):
    """A transaction that was acknowledged is not there."""


class Half(AssertionError):
    """A part of a transaction is there and a part is not."""


class CameBack(AssertionError):
    """A transaction that was refused is there."""


@dataclass(frozen=True)
class Rows:
    """Each transaction in a connection of its own, beside one that stays open or none."""

    synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL"
    second_connection: bool = True
    transactions: int = 12

    def __call__(self, path: Path, acknowledge: Callable[[object], None]) -> None:
        with contextlib.ExitStack() as second:
            for number in range(1, self.transactions + 1):
                with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
                    acknowledge(Outcome(number, self._transact(connection, number)))
                    if number == self.transactions // 2:
                        with contextlib.suppress(sqlite3.OperationalError):
                            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    if number == 1 and self.second_connection:
                        other = second.enter_context(contextlib.closing(sqlite3.connect(path)))
                        with contextlib.suppress(sqlite3.OperationalError):
                            other.execute("SELECT count(*) FROM part").fetchone()

    def _transact(
        self, connection: sqlite3.Connection, number: int
    ) -> Literal["whole", "refused", "unknown"]:
        try:
            # Where this fails the mode may stay another, in which FULL promises less.
            if connection.execute("PRAGMA journal_mode=WAL").fetchone() != ("wal",):
                return "refused"
            connection.execute(f"PRAGMA synchronous={self.synchronous}")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS part (number INTEGER, size INTEGER, filler BLOB)"
            )
            connection.execute("CREATE TABLE IF NOT EXISTS total AS SELECT 0 AS transactions")
            size = 1 + number % 4
            for part in range(size):
                connection.execute(
                    "INSERT INTO part VALUES (?, ?, ?)",
                    (number, size, bytes([number]) * 700 * (part + 1)),
                )
            connection.execute("UPDATE total SET transactions = transactions + 1")
        except sqlite3.OperationalError:
            return "refused"
        try:
            connection.execute("COMMIT")
        except sqlite3.OperationalError:
            return "unknown"
        return "whole"


def judge(path: Path, acknowledged: Sequence[object]) -> None:
    """Every transaction is whole or absent, and as its outcome said."""
    outcomes = {one.transaction: one.word for one in acknowledged if isinstance(one, Outcome)}
    there = _transactions(path)
    lost = sorted(
        number for number, word in outcomes.items() if word == "whole" and number not in there
    )
    if lost:
        raise Lost(f"transactions {lost} of {len(outcomes)}")
    came_back = sorted(
        number for number, word in outcomes.items() if word == "refused" and number in there
    )
    if came_back:
        raise CameBack(f"transactions {came_back} of {len(outcomes)}")


def _transactions(path: Path) -> set[int]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        if found != [("ok",)]:
            raise Half(f"integrity_check: {found}")
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if not tables:
            return set()
        if tables != {"part", "total"}:
            raise Half(f"tables: {tables}")
        rows = connection.execute("SELECT number, size, filler FROM part ORDER BY rowid").fetchall()
        sizes = Counter((number, size) for number, size, _ in rows)
        halves = sorted(number for (number, size), parts in sizes.items() if parts != size)
        halves += [number for number, _, filler in rows if set(filler) != {number}]
        if halves:
            raise Half(f"parts of transactions {halves}")
        if connection.execute("SELECT transactions FROM total").fetchall() != [(len(sizes),)]:
            raise Half("the total is not that of the transactions")
        return {number for number, _ in sizes}


def fill(connection: sqlite3.Connection) -> None:
    """Sixty thousand bytes in one transaction, for tests that only need SQLite to write."""
    connection.execute("CREATE TABLE IF NOT EXISTS filled (value BLOB)")
    rows = [(bytes([number]) * 3000,) for number in range(20)]
    connection.executemany("INSERT INTO filled VALUES (?)", rows)
    connection.commit()
