"""The timeline: all events of the log in order of occurrence, to be searched by who, what and when.

It is a view in a file of its own (``cloud.timeline.db``), so that only those who use it pay for it.
It catches up with the log before each question.
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
from serverdomain.domain.typed import typed
from serverdomain.errors import InvalidInput
from serverdomain.projections.history import HistoryEntry, table_of
from serverdomain.projections.timeline_rows import TIMELINE, data_of
from serverdomain.projections.view import Answer, View
from serverdomain.projections.view_file import ViewFile

PAGE = 1_000
"""Rows that are read together."""

MOST = 1_000_000_000
"""The largest limit that is allowed."""

_SHOWN = 20  # Events that a notebook shows.

LONGEST_TEXT = 1_000
"""Characters of a text to search for, at most; SQLite limits its patterns."""

# What a request caused: its own commands, then those whose cause or correlation is one of these,
# and so on.
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
    """What to search for; see `Timeline.search`."""

    server_id: str | None
    actor: str | None
    request: str | None
    image: str | None
    since: datetime | None
    until: datetime | None
    text: str | None


class TimelineStatus(NamedTuple):
    """The timeline's position, the log's head, the events between them, and the timeline's rows."""

    position: int
    head: int
    lag: int
    events: int


@typed
class Timeline(View):
    """A row for each event of a log, including refusals.

    Its length is their number, and they are what it iterates over, in order of occurrence.
    """

    kept = TIMELINE

    def status(self) -> TimelineStatus:
        """How far it has come, without catching up."""
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
        """The events that match all of this, in order of occurrence.

        ``actor`` is a user's id. ``request`` finds a request's own events and those that it caused:
        of commands whose cause or correlation it is, and of what these caused in turn. ``image``
        was asked for, came or went. ``since`` and ``until`` are times of occurrence, inclusive.
        ``text`` is found in an event's name, data or changes; the case of ASCII letters does not
        matter. ``limit`` takes only the latest so many. Raises `InvalidInput`.
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
        """Query the rows, as one snapshot: the SQL view ``timeline``, which is only to be read."""
        self.catch_up()

        def read(file: ViewFile) -> Answer:
            with file.reading() as rows:
                return question(Database(rows, execute_plugins=False))

        return self._ask(read)

    def __len__(self) -> int:
        self.catch_up()
        return super().__len__()

    def __iter__(self) -> Iterator[HistoryEntry]:
        return self.search()

    def _repr_html_(self) -> str:
        shown = self.search(limit=_SHOWN)
        return table_of(f"the latest of {len(self)} events in {self._log}", shown)

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
        # The log says what happened; a row says what it changed.
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
    # As it is written in JSON, and with the wildcards of LIKE escaped.
    written = msgspec.json.encode(text).decode()[1:-1]
    for special in ("\\", "%", "_"):
        written = written.replace(special, f"\\{special}")
    return f"%{written}%"
