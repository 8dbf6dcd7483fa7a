"""The timeline: all events of the log in order of occurrence, to be searched by who, what and when.

It is a view in a file of its own (``cloud.timeline.db``), so that only those who use it pay for it.
It catches up with the log before each question.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypedDict, Unpack

import msgspec
from sqlite_utils import Database

from serverdomain.domain import limits, moment
from serverdomain.domain.document import Change
from serverdomain.domain.typed import typed
from serverdomain.errors import InvalidInput
from serverdomain.projections.history import MAY_TELL_NOTHING, HistoryEntry, table_of
from serverdomain.projections.timeline_rows import COLUMNS, TIMELINE, data_of
from serverdomain.projections.view import Answer, View
from serverdomain.projections.view_file import ViewFile
from serverdomain.store.log import LARGEST

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
    "project": "server_project_id = :project",
    "events": "event IN (SELECT value FROM json_each(:events))",
    "first": "position >= :first",
    "last": "position <= :last",
    "image": "(image_id = :image OR image_before = :image)",
    "since": "occurred_at >= :since",
    "until": "occurred_at <= :until",
    "told": "(changes <> '[]' OR event NOT IN (SELECT value FROM json_each(:told)))",
    "text": "(event LIKE :text ESCAPE '\\' OR data LIKE :text ESCAPE '\\'"
    " OR changes LIKE :text ESCAPE '\\')",
}

_KINDS = {int: "'integer', 'null'", str: "'text', 'null'"}
_MISFITS = "SELECT 1 FROM timeline WHERE " + " OR ".join(
    f"typeof({column}) NOT IN ({_KINDS[kind]})" for column, kind in COLUMNS.items()
)
"""Rows with a cell that holds what is never written there."""

_read_changes = msgspec.json.Decoder(tuple[Change, ...]).decode


class Searched(TypedDict, total=False):
    """What to search for; see `Timeline.search`."""

    server_id: str | None
    actor: str | None
    project: str | None
    events: Sequence[str]
    positions: tuple[int, int] | None
    request: str | None
    image: str | None
    since: datetime | None
    until: datetime | None
    recorded_since: datetime | None
    recorded_until: datetime | None
    text: str | None
    news: bool


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
        self, *, limit: int | None = None, latest_first: bool = False, **wanted: Unpack[Searched]
    ) -> Iterator[HistoryEntry]:
        """The events that match all of this, in order of occurrence, or the other way round.

        ``actor`` is a user's id, ``project`` that of the server. ``events`` are names, any of them;
        ``positions`` the first and the last. ``request`` finds a request's own events and those
        that it caused: of commands whose cause or correlation it is, and of what these caused in
        turn. ``image`` was asked for, came or went. ``since`` and ``until`` are times of
        occurrence, ``recorded_since`` and ``recorded_until`` of recording, all inclusive. ``text``
        is found in an event's name, data or changes; the case of ASCII letters does not matter.
        ``news`` leaves out what told nothing new: an observation that changed nothing. ``limit``
        takes only the latest so many. Raises `InvalidInput`.
        """
        if limit is not None and not 1 <= limit <= MOST:
            raise InvalidInput("limit", f"{limit} came, a whole number of 1 to {MOST} is allowed")
        given = self._given(**wanted)
        self.catch_up()
        if limit is None:
            return self._pages(given, latest_first)
        found = self._found(given, limit, None, latest_first=True)
        return iter(found) if latest_first else reversed(found)

    def _given(
        self,
        *,
        server_id: str | None = None,
        actor: str | None = None,
        project: str | None = None,
        events: Sequence[str] = (),
        positions: tuple[int, int] | None = None,
        request: str | None = None,
        image: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        recorded_since: datetime | None = None,
        recorded_until: datetime | None = None,
        text: str | None = None,
        news: bool = False,
    ) -> dict[str, Any]:
        """The names of conditions, and their values."""
        given: dict[str, Any] = {}
        for name, value in [("actor", actor), ("project", project), ("request", request)]:
            if value is not None:
                given[name] = limits.text(name, value)
        for name, value in [("server_id", server_id), ("image", image)]:
            if value is not None:
                given[name] = limits.canonical_uuid(name, value)
        for name, when in [("since", since), ("until", until)]:
            if when is not None:
                given[name] = moment.exact(moment.to_micros(when, name, nearest=True))
        if news:
            given["told"] = msgspec.json.encode(sorted(MAY_TELL_NOTHING)).decode()
        if events:
            named = [limits.text("events", name) for name in events]
            given["events"] = msgspec.json.encode(named).decode()
        given |= self._positions(positions, recorded_since, recorded_until)
        if text is not None:
            given["text"] = _pattern(limits.text("text", text, shortest=1, longest=LONGEST_TEXT))
        return given

    def _positions(
        self, positions: tuple[int, int] | None, since: datetime | None, until: datetime | None
    ) -> dict[str, int]:
        # Positions are in order of recording. SQLite takes no larger number.
        within = [min(max(one, 0), LARGEST) for one in positions or ()]
        firsts, lasts = within[:1], within[1:]
        if since is not None:
            micros = moment.to_micros(since, "recorded_since", nearest=True)
            firsts.append(self._position_at(micros - 1) + 1)
        if until is not None:
            micros = moment.to_micros(until, "recorded_until", nearest=True)
            lasts.append(self._position_at(micros))
        bounds = {"first": max(firsts)} if firsts else {}
        return bounds | ({"last": min(lasts)} if lasts else {})

    def _position_at(self, recorded_at: int) -> int:
        with self._log.reading() as log:
            return log.position_at(recorded_at)

    def ask(self, question: Callable[[Database], Answer]) -> Answer:
        """Query the rows, as one snapshot: the SQL view ``timeline``, which is only to be read."""
        self.catch_up()

        def read(file: ViewFile) -> Answer:
            with file.reading() as rows:
                try:
                    return question(Database(rows, execute_plugins=False))
                except (TypeError, ValueError, AttributeError) as error:
                    # It may be the question's own fault, or that of a cell that holds anything.
                    if rows.execute(_MISFITS).fetchone() is not None:
                        raise sqlite3.DataError(f"a row holds what no event is: {error}") from error
                    raise

        return self._ask(read)

    def __len__(self) -> int:
        self.catch_up()
        return super().__len__()

    def __iter__(self) -> Iterator[HistoryEntry]:
        return self.search()

    def _repr_html_(self) -> str:
        shown = self.search(limit=_SHOWN)
        return table_of(f"the latest of {len(self)} events in {self._log}", shown)

    def _pages(self, given: dict[str, Any], latest_first: bool) -> Iterator[HistoryEntry]:
        page = self._found(given, PAGE, None, latest_first=latest_first)
        while page:
            yield from page
            if len(page) < PAGE:
                return
            page = self._found(given, PAGE, page[-1], latest_first=latest_first)

    def _found(
        self,
        given: dict[str, Any],
        limit: int,
        behind: HistoryEntry | None,
        *,
        latest_first: bool,
    ) -> list[HistoryEntry]:
        conditions = [_CONDITIONS[name] for name in given]
        values: dict[str, Any] = {**given, "limit": limit}
        if behind is not None:
            beyond = "<" if latest_first else ">"
            conditions.append(f"(occurred_at, position) {beyond} (:at, :position)")
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
