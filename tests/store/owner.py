"""What somebody can see in a log, and do to it, who owns its tables, whichever engine keeps them.

Both engines' connections have ``execute``, and what it gives ``fetchall`` and ``rowcount``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from serverdomain.store.log import Log
from serverdomain.store.opening import open_log
from serverdomain.store.sqlite import SQLiteLog

_NOT_KEPT = ("22P02", "23514", "42704", "42804", "42883")
"""PostgreSQL's errors for what it does not keep: another type, or against a check of the table."""

_SQLITES = ("x'", "char(", "1.5")
"""What PostgreSQL takes for something else."""


@contextmanager
def tables_of(log: Log) -> Iterator[Any]:
    """A connection to the tables of a log, to read them with no question of ours."""
    if isinstance(log, SQLiteLog):
        with log.connections.reading() as connection:
            yield connection
    else:
        with _connected(log) as connection:
            yield connection


@contextmanager
def owner_of(log: Log) -> Iterator[Any]:
    """A connection to the tables of a log that no guard stops, in a transaction."""
    if not isinstance(log, SQLiteLog):
        with _connected(log) as connection:
            connection.execute("SET session_replication_role = replica")
            yield connection
        return
    with log.connections.writing() as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        there = guards.fetchall()
        for name, _ in there:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in there:
            connection.execute(sql)


def _connected(log: Log) -> Any:
    import psycopg

    from serverdomain.store.postgresql.log import PostgreSQLLog

    assert isinstance(log, PostgreSQLLog)
    # Connecting, psycopg begins a transaction with the first statement, and commits at the end.
    return psycopg.connect(
        **log.address.parameters(), options=f"-csearch_path={log.address.schema}"
    )


def spoil(log: Log, *statements: str) -> None:
    """Change rows of a log; skip where PostgreSQL keeps nothing of the kind."""
    is_sqlite = isinstance(log, SQLiteLog)
    if not is_sqlite and any(one in statement for statement in statements for one in _SQLITES):
        pytest.skip("only SQLite keeps anything of the kind")
    with owner_of(log) as owner:
        for statement in statements:
            try:
                assert owner.execute(statement).rowcount != 0, statement
            except Exception as error:
                if getattr(error, "sqlstate", None) in _NOT_KEPT:
                    pytest.skip(f"PostgreSQL keeps nothing of the kind: {error}")
                raise


def take_back(log: SQLiteLog, position: int) -> None:
    """Take away what a log holds behind a position, as if it never came: the log goes back."""
    with owner_of(log) as owner:
        owner.execute("DELETE FROM stored_events WHERE position > ?", (position,))
        owner.execute(
            "DELETE FROM commands WHERE command_id NOT IN (SELECT command_id FROM stored_events)"
        )
        owner.execute("UPDATE reactions SET position = MIN(position, ?)", (position,))


def backup_of(url: str) -> Callable[[], None]:
    """Keep a closed log as it is; what comes back puts it back, which has grown meanwhile."""
    if not url.startswith("sqlite:///"):
        from tests.store.postgresql.went_back import go_back

        with closing(open_log(url)) as log, log.reading() as reading:
            return partial(go_back, url, reading.head())
    path = Path(url.removeprefix("sqlite:///"))
    backup = path.with_name("backup")
    shutil.copy(path, backup)

    def put_back() -> None:
        for one in path.parent.glob(f"{path.name}*"):
            one.unlink()
        shutil.copy(backup, path)

    return put_back
