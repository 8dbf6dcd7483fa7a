"""Check: whether log and view keep what they promise, a finding for each thing that does not hold.

Only reads, on connections that cannot write, so that a damaged file can be looked at. It is no
proof against somebody with the file and the will, who leaves all of this in order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

from serverdomain.audit import check_log, check_schema, check_view
from serverdomain.audit.finding import Finding
from serverdomain.errors import StoreError, StoreMissing
from serverdomain.projections.server_rows import SERVERS
from serverdomain.store import place as places
from serverdomain.store import schema
from serverdomain.store.faults import store_error
from serverdomain.store.place import Place

Progress = Callable[[int, int], None]
"""Is told how many steps are done, and of how many."""

_CACHE = 32 * 1024
"""KiB of the file that a pass keeps in memory."""

_EVERY = 5_000
"""Steps between two reports of progress."""


def silent(done: int, of: int) -> None:
    """Say nothing of the progress."""


def check_files(store: Place, view: Place, progress: Progress = silent) -> Iterator[Finding]:
    """Check the store at a place, and its view if there is one at the other.

    Raises `StoreMissing`, `StoreForeign` and `StoreNewer` where there is nothing of ours to check,
    and `StoreDamaged` where there is no database at all.
    """
    if store.path is None or not places.holds(store.path, schema.APPLICATION_ID, "store"):
        raise StoreMissing(f"there is no store at {store}")
    with _reading(store) as log:
        if schema.version(log, store) == 0:
            raise StoreMissing(f"there is no store at {store}")
    return _findings(store, view, progress)


def check(
    log: sqlite3.Connection, view: sqlite3.Connection | None, progress: Progress = silent
) -> Iterator[Finding]:
    """Check a log and its view, if it has one, on connections that show each at one moment.

    The view's moment may not lie behind the log's.
    """
    steps = _Steps(log, progress)
    parts: list[Callable[[], Iterator[Finding]]] = [
        lambda: check_schema.integrity(log, "log"),
        lambda: check_schema.as_made(log),
        lambda: check_log.events(log, steps.step),
        lambda: check_log.commands(log),
    ]
    if view is not None:
        rows = view
        parts += [
            lambda: check_schema.integrity(rows, "view"),
            lambda: check_view.rows(log, rows, steps.step),
        ]
    for part in parts:
        try:
            with _any_text(log, view):
                yield from part()
        except (sqlite3.Error, TypeError, ValueError) as error:
            # Anything may stand in a file that somebody wrote to.
            yield Finding("file", f"what follows cannot be read, and is not checked: {error}")
    steps.done()


@contextmanager
def _any_text(*connections: sqlite3.Connection | None) -> Iterator[None]:
    """Read text that is no UTF-8, too, so that it is found where it stands."""
    for connection in filter(None, connections):
        connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        for connection in filter(None, connections):
            connection.text_factory = str


class _Steps:
    """Counts what is read, for the progress: each event twice."""

    def __init__(self, log: sqlite3.Connection, progress: Progress) -> None:
        self._progress = progress
        self._done = 0
        try:
            (events,) = log.execute("SELECT COUNT(*) FROM stored_events").fetchone()
        except sqlite3.Error:
            events = 0
        self._all = max(2 * events, 1)

    def step(self) -> None:
        self._done += 1
        if self._done % _EVERY == 0:
            self._progress(min(self._done, self._all), self._all)

    def done(self) -> None:
        self._progress(self._all, self._all)


def _findings(store: Place, view: Place, progress: Progress) -> Iterator[Finding]:
    with ExitStack() as stack:
        rows = None
        try:
            if view.path is not None and places.holds(
                view.path, SERVERS.application_id, SERVERS.what
            ):
                # Before the log, so that it cannot be ahead of it.
                rows = stack.enter_context(_reading(view))
        except StoreError as wrong:
            yield Finding("view", str(wrong))
        log = stack.enter_context(_reading(store))
        yield from check(log, rows, progress)


@contextmanager
def _reading(place: Place) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write, at one moment."""
    assert place.path is not None
    uri = place.uri("ro")
    try:
        try:
            connection = _connected(uri)
        except sqlite3.OperationalError:
            # SQLite writes beside what it reads. Where nothing may be written there, the file can
            # be read alone, unless part of it waits in the log beside it.
            beside = place.path.with_name(f"{place.path.name}-wal")
            if beside.exists() and beside.stat().st_size > 0:
                raise
            connection = _connected(f"{uri}&immutable=1")
    except sqlite3.Error as error:
        raise store_error(error, place) from error
    with closing(connection):
        yield connection


def _connected(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        connection.execute("BEGIN")
        connection.execute("PRAGMA user_version").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
