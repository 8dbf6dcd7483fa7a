"""Which engine a path or a URL means: the one place that knows them all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from serverdomain.domain.progress import Progress, silent
from serverdomain.errors import ExtraMissing
from serverdomain.store import refusals
from serverdomain.store.log import Examination, Log
from serverdomain.store.sqlite import SQLiteLog
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.examination import examine
from serverdomain.store.sqlite.read_only_log import ReadOnlyLog

if TYPE_CHECKING:
    from serverdomain.store.copying import Copied, Filling, Source

Store = str | os.PathLike[str]
"""Where a log is: a path, or ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``memory:``, or
``postgresql://user@host/database?schema=name``.

A path object is always a file. A string that begins with a scheme must be a URL that is known; any
other is a path.
"""


def open_log(store: Store, *, create: bool = True, log_id: str | None = None) -> Log:
    """Open a log to read and to write it.

    Makes it where there is none, unless ``create`` is false, with a new id or the one of a log that
    is to be put there; one in PostgreSQL is made by `init_log` alone. Raises `InvalidInput` for
    what is no store, `StoreReadOnly` where it cannot be written, and `StoreError`.
    """
    if _is_postgresql(store):
        with _psycopg():
            from serverdomain.store.postgresql.address import Address
            from serverdomain.store.postgresql.log import PostgreSQLLog
        return PostgreSQLLog(Address(store), keeps_refusals=refusals.setting())
    keeps = refusals.setting()
    return SQLiteLog(places.of(store), create=create, keeps_refusals=keeps, log_id=log_id)


def open_to_read(store: Store, *, beside: bool = False) -> Log:
    """Open a log that is there to read it alone: no byte of it changes, whoever may write it.

    What is made from it lies in a cache of the user's; ``beside`` says that it lies beside the log
    where that can be written. Raises `InvalidInput`, `StoreMissing` and `StoreError`.
    """
    if _is_postgresql(store):
        with _psycopg():
            from serverdomain.store.postgresql.address import Address
            from serverdomain.store.postgresql.read_only_log import ReadOnlyPostgreSQLLog
        return ReadOnlyPostgreSQLLog(Address(store))
    return ReadOnlyLog(places.of(store), beside=beside)


def init_log(store: Store, *, guarded: bool = True) -> bool:
    """Make a log, or bring one to this release's schema; whether anything was to do.

    ``guarded``, triggers of PostgreSQL guard it; a file always has its own. Raises `InvalidInput`,
    `StoreForeign` where something else is in the way, `StoreNewer`, and `StoreError`.
    """
    if _is_postgresql(store):
        with _psycopg():
            from serverdomain.store.postgresql.address import Address
            from serverdomain.store.postgresql.making import init
        return init(Address(store), guarded=guarded)
    path = places.of(store).path
    was_there = path is not None and path.exists()
    open_log(store).close()
    return not was_there


def copy_log(store: Store, to: Store, progress: Progress = silent) -> Copied:
    """Move a log to another place: see `serverdomain.store.copying.copy`.

    One in PostgreSQL is made there, by an owner. Raises `InvalidInput` where something is there.
    """
    from serverdomain.store.copying import copy

    with _source(store) as source:
        with source.reading() as log:
            log_id = log.log_id()
        with _filling(to, log_id, source.place) as filling:
            return copy(source, filling, progress)


def _source(store: Store) -> closing[Source]:
    if _is_postgresql(store):
        with _psycopg():
            from serverdomain.store.postgresql.address import Address
            from serverdomain.store.postgresql.moving import PostgreSQLSource
        return closing(PostgreSQLSource(Address(store)))
    from serverdomain.store.sqlite.moving import SQLiteSource

    return closing(SQLiteSource(places.of(store)))


def _filling(to: Store, log_id: str, source: str) -> AbstractContextManager[Filling]:
    if _is_postgresql(to):
        with _psycopg():
            from serverdomain.store.postgresql.address import Address
            from serverdomain.store.postgresql.moving import filling as in_postgresql
        return in_postgresql(Address(to), log_id, source)
    from serverdomain.store.sqlite.moving import filling as in_a_file

    return in_a_file(places.of(to), log_id)


def file_of(store: Store) -> Path | None:
    """The file of a log; ``None`` in memory and in PostgreSQL. Raises `InvalidInput`."""
    return None if _is_postgresql(store) else places.of(store).path


def caches_of(store: Store) -> Path | None:
    """The path beside which lies what is made from a log; ``None`` for memory."""
    if _is_postgresql(store):
        with closing(open_to_read(store)) as log:
            return log.caches
    return places.of(store).path


@contextmanager
def examining(store: Store) -> Iterator[Examination]:
    """A log for a check, opened to be read alone; it need not be sound.

    Raises `StoreMissing`, `StoreForeign` or `StoreNewer` where there is nothing of ours to check.
    """
    if _is_postgresql(store):
        with closing(open_to_read(store)) as log, log.examining() as examination:
            yield examination
    else:
        with examine(places.of(store)) as found:
            yield found


def _is_postgresql(store: Store) -> TypeGuard[str]:
    # Whatever stands behind the scheme: a mistake in it is told without the password in it.
    return isinstance(store, str) and re.match(r"postgres[a-z+0-9]*:", store) is not None


@contextmanager
def _psycopg() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExtraMissing("a log in PostgreSQL", error.name, "postgres") from None
