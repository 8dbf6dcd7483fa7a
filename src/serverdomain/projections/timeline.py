"""The timeline: every event of the log in order of occurrence, searched by who, what and when.

A view of its own, in a file of its own (``cloud.timeline.db``), so that nothing else pays for it.
It is followed to the head before each question.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, TypedDict

import msgspec
from sqlite_utils import Database

from serverdomain.domain import limits, moment
from serverdomain.domain.document import Change
from serverdomain.errors import InvalidInput
from serverdomain.projections.history import HistoryEntry
from serverdomain.projections.timeline_rows import TIMELINE, data_of
from serverdomain.projections.view import Answer, View
from serverdomain.projections.view_file import ViewFile

PAGE = 1_000
"""Rows that are read at once."""

MOST = 1_000_000_000
"""The largest limit that may be given."""

LONGEST_TEXT = 1_000
"""Characters of a text that may be looked for; SQLite's patterns have an end, too."""

# What a request caused: its own commands; those that name one of these as their cause, or bear it
# as their correlation; and so on.
_CAUSED = """
request_id IN (
    WITH RECURSIVE caused (request_id) AS (
        VALUES (:request)
        UNION SELECT t.request_id FROM caused JOIN timeline t ON t.caused_by = caused.request_id
        UNION SELECT t.request_id FROM caused JOIN timeline t
            ON t.correlation_id = caused.request_id
    )
    SELECT request_id FROM caused
)"""

_CONDITIONS = {
    "server_id": "server_id = :server_id",
    "actor": "user_id = :actor",
    "request": _CAUSED,
    "image": "(image_id = :image OR image_before = :image)",
    "since": "occurred_at >= :since",
    "until": "occurred_at <= :until",
    "text": "(event LIKE :text ESCAPE '\\' OR data LIKE :text ESCAPE '\\'"
    " OR changes LIKE :text ESCAPE '\\')",
}

_read_changes = msgspec.json.Decoder(tuple[Change, ...]).decode


class Searched(TypedDict, total=False):
    """What is searched for; see `Timeline.search`."""

    server_id: str | None
    actor: str | None
    request: str | None
    image: str | None
    since: datetime | None
    until: datetime | None
    text: str | None


class TimelineStatus(NamedTuple):
    """How far the timeline has followed the log: positions, events that it lags behind, rows."""

    position: int
    head: int
    lag: int
    events: int


class Timeline(View):
    """A row for each event of a log, refusals among them."""

    kept = TIMELINE

    def status(self) -> TimelineStatus:
        """How far it is, as it stands, without catching up."""
        return TimelineStatus(*self._ask(self._standing))

    def search(
        self,
        *,
        server_id: str | None = None,
        actor: str | None = None,
        request: str | None = None,
        image: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        text: str | None = None,
        limit: int | None = None,
    ) -> Iterator[HistoryEntry]:
        """The events that all of this is true of, in order of occurrence.

        ``actor`` is a user's id; ``request`` finds a request's own events and all that it caused:
        commands that name it as their cause or bear it as their correlation, and what these caused
        in turn. ``image`` was asked for, or came or went; ``since`` and ``until`` are times of
        occurrence, inclusive; ``text`` stands in an event's name, data or changes, in any case of
        ASCII letters. With a ``limit``, the latest so many. Raises `InvalidInput`.
        """
        if limit is not None and not 1 <= limit <= MOST:
            raise InvalidInput("limit", f"{limit} came, a whole number of 1 to {MOST} is allowed")
        given: dict[str, str] = {}
        for name, value in [("actor", actor), ("request", request)]:
            if value is not None:
                given[name] = limits.text(name, value)
        for name, value in [("server_id", server_id), ("image", image)]:
            if value is not None:
                given[name] = limits.canonical_uuid(name, value)
        for name, when in [("since", since), ("until", until)]:
            if when is not None:
                given[name] = moment.exact(moment.to_micros(when, name, nearest=True))
        if text is not None:
            longest = LONGEST_TEXT
            given["text"] = _pattern(limits.text("text", text, shortest=1, longest=longest))
        self.catch_up()
        if limit is not None:
            return reversed(self._found(given, limit, None, latest_first=True))
        return self._pages(given)

    def ask(self, question: Callable[[Database], Answer]) -> Answer:
        """Ask the rows themselves, as one snapshot: the view ``timeline``, to be read alone."""
        self.catch_up()

        def read(file: ViewFile) -> Answer:
            with file.reading() as rows:
                return question(Database(rows, execute_plugins=False))

        return self._ask(read)

    def _pages(self, given: dict[str, str]) -> Iterator[HistoryEntry]:
        page = self._found(given, PAGE, None)
        while page:
            yield from page
            page = self._found(given, PAGE, page[-1]) if len(page) == PAGE else []

    def _found(
        self,
        given: dict[str, str],
        limit: int,
        behind: HistoryEntry | None,
        *,
        latest_first: bool = False,
    ) -> list[HistoryEntry]:
        conditions = [_CONDITIONS[name] for name in given]
        values: dict[str, Any] = {**given, "limit": limit}
        if behind is not None:
            conditions.append("(occurred_at, position) > (:at, :position)")
            values["at"] = moment.exact(behind.recorded.occurred_at)
            values["position"] = behind.position
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        way = "DESC" if latest_first else "ASC"
        query = (
            f"SELECT position, event, data, changes FROM timeline {where}"
            f" ORDER BY occurred_at {way}, position {way} LIMIT :limit"
        )

        def read(file: ViewFile) -> list[HistoryEntry]:
            with file.reading() as rows:
                return self._entries(rows.execute(query, values).fetchall())

        return self._ask(read)

    def _entries(self, rows: list[tuple[int, str, str, str]]) -> list[HistoryEntry]:
        # What happened is told by the log itself; a row knows what it changed.
        with self._log.reading() as log:
            events = {one.position: one for one in log.events_at([row[0] for row in rows])}
        entries = []
        for position, name, data, changes in rows:
            one = events.get(position)
            if one is None or (name, data) != (one.name, data_of(one.event)):
                raise sqlite3.DataError(f"the row of position {position} is of another event")
            try:
                entries.append(HistoryEntry(one, _read_changes(changes)))
            except (TypeError, msgspec.DecodeError) as error:
                raise sqlite3.DataError(f"a row holds no changes: {error}") from error
        return entries


def _pattern(text: str) -> str:
    # As JSON writes it, where it stands; and with what LIKE takes for more than itself taken back.
    written = msgspec.json.encode(text).decode()[1:-1]
    for special in ("\\", "%", "_"):
        written = written.replace(special, f"\\{special}")
    return f"%{written}%"
