"""Check the view: each server's events are folded again and compared with its row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct

from serverdomain.domain import moment
from serverdomain.domain.history import Fact, History
from serverdomain.domain.server import Server, is_there
from serverdomain.errors import InvalidInput, StoreError
from serverdomain.projections import following, generations, server_rows
from serverdomain.projections.generations import Generation
from serverdomain.projections.kept_rows import KeptRows
from serverdomain.projections.server_rows import SERVERS
from serverdomain.store.codec import CODEC, PREFIX, server_id_of
from serverdomain.store.finding import Finding, Kind
from serverdomain.store.log import Reading
from serverdomain.store.sqlite.examination import incoherences

_REFUSED = f"{PREFIX}CommandRefused:"

Row = tuple[Any, ...]

_decode = CODEC.decode


class Unreadable:
    """Stands for a server whose events cannot be read, which is a finding on the log."""


def live(
    log: Reading, view: sqlite3.Connection, kept: KeptRows
) -> Generator[Finding, None, Generation | None]:
    """The live generation of a view's rows, if it follows this log, or a finding if it does not."""
    (taken,) = view.execute("PRAGMA user_version").fetchone()
    if taken != kept.schema:
        return None  # It is made again as soon as it is used.
    generation = generations.live(view, kept)
    follows = view.execute("SELECT log_id FROM follows").fetchall()
    if follows != [(log.log_id(),)]:
        yield Finding(kind(kept), f"the {kept.what} is another log's")
        return None
    if not following.follows(log, generation):
        what = f"the log has another row where the {kept.what} stands"
        yield Finding(kind(kept), what, generation.position)
        return None
    return generation


def kind(kept: KeptRows) -> Kind:
    """The kind of findings on a view."""
    return "timeline" if kept.what == "timeline" else "view"


class Gone(Struct, frozen=True):
    """What the view keeps of a deleted server."""

    name: object


def integrity(view: sqlite3.Connection, kept: KeptRows) -> Iterator[Finding]:
    """The findings of SQLite's own check of a view's file."""
    for line in incoherences(view):
        yield Finding("file", f"the {kept.what}'s file is incoherent: {line}")


def rows(log: Reading, view: sqlite3.Connection, step: Callable[[], None]) -> Iterator[Finding]:
    """Rows that differ from the fold of a server's events up to the view's position."""
    generation = yield from live(log, view, SERVERS)
    if generation is None:
        return
    # All in order of id, so that only one server of each is held at a time.
    folded = _folded(log, generation.position, step)
    rows = view.execute(f"SELECT * FROM {generation.table} ORDER BY id")
    shown = ((str(row[0]), row) for row in rows)
    names = view.execute(f"SELECT id, name FROM {server_rows.gone(generation.table)} ORDER BY id")
    gone = ((str(server_id), Gone(name)) for server_id, name in names)
    by_id = itemgetter(0)
    for server_id, all_of_it in groupby(merge(folded, shown, gone, key=by_id), by_id):
        # The server, its row, its last name: each is there or not, in this order.
        found = [one for _, one in all_of_it]
        name = found.pop() if isinstance(found[-1], Gone) else None
        row = found.pop() if found and isinstance(found[-1], tuple) else None
        if not found:
            yield Finding("view", f"server {server_id} is in the view, and not in the log")
        elif not isinstance(found[0], Unreadable):
            yield from _unlike(server_id, found[0], row)
            yield from _unlike_gone(server_id, found[0], name)


def _unlike_gone(server_id: str, server: Server | None, gone: Gone | None) -> Iterator[Finding]:
    if server is None or not server.deleted:
        if gone is not None:
            yield Finding("view", f"server {server_id} is in the view as deleted, which it is not")
    elif gone is None:
        yield Finding("view", f"the name of the deleted server {server_id} is not in the view")
    elif gone.name != server.name:
        yield Finding("view", f"server {server_id} is not the fold in name")


def _unlike(server_id: str, server: Server | None, row: Row | None) -> Iterator[Finding]:
    if not is_there(server):
        if row is not None:
            yield Finding("view", f"server {server_id} is in the view, and not there any more")
    elif row is None:
        yield Finding("view", f"server {server_id} is not in the view")
    else:
        made = zip(server_rows.COLUMNS, server_rows.row(server), row, strict=True)
        wrong = [name for name, folded, found in made if folded != found]
        if wrong:
            yield Finding("view", f"server {server_id} is not the fold in {', '.join(wrong)}")


def _folded(
    log: Reading, last: int, step: Callable[[], None]
) -> Iterator[tuple[str, Server | Unreadable | None]]:
    """Each server, folded from its events up to a position, if all of them can be read."""
    for name, rows in groupby(log.streams(), key=itemgetter(1)):
        facts, readable = list[Fact](), True
        for position, _, number, topic, state, *_, occurred_at, _, _ in rows:
            step()
            ours = isinstance(topic, str) and topic.startswith(PREFIX)
            if not ours or position > last or topic.startswith(_REFUSED):
                continue
            try:
                at = moment.micros("occurred_at", occurred_at)
                facts.append(Fact(at, position, name, number, _decode(topic, state, position)))
            except (StoreError, InvalidInput, TypeError, UnicodeEncodeError):
                readable = False
        if facts or not readable:
            yield server_id_of(name), History(facts).server if readable else Unreadable()
