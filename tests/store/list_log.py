"""A log that keeps lists in memory: the smallest engine there is, in nothing but Python.

It shows what the port asks of an engine, and that nothing else knows which one it has.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from pathlib import Path
from threading import Condition, Lock
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.domain.history import Fact, History
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.server import Server
from serverdomain.errors import InvalidInput, StoreDamaged, StoreError, UnknownEvent
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.codec import CODEC, refusals_of, stream_of
from serverdomain.store.finding import Finding
from serverdomain.store.log import LARGEST, BulkWriting, Examination, Log, News, Page, Row, Tip
from serverdomain.store.recent_refusals import RecentRefusals
from serverdomain.store.recorded import RecordedCommand, RecordedEvent
from serverdomain.store.remembered import Ahead, Remembered
from serverdomain.store.writer import Writer


class Stored(NamedTuple):
    """An event as it is stored, with its command."""

    position: int
    stream: str
    version: int
    topic: str
    state: str
    command: RecordedCommand
    refused: int

    @property
    def event(self) -> Event:
        return CODEC.decode(self.topic, self.state, self.position)

    @property
    def recorded(self) -> RecordedEvent:
        return RecordedEvent(self.position, self.version, self.topic, self.event, self.command)

    @property
    def fact(self) -> Fact:
        command = self.command
        return Fact(command.occurred_at, self.position, command.server_id, self.version, self.event)

    @property
    def row(self) -> Row:
        return (*self[:5], *_columns(self.command), self.refused)


def _columns(command: RecordedCommand) -> Row:
    values = list(msgspec.structs.astuple(command))
    values[6] = msgspec.json.encode(command.roles).decode()
    return tuple(values)


class ListReading(Examination):
    """A log's events and bookmarks as they were at one moment."""

    def __init__(self, log_id: str, events: list[Stored], bookmarks: dict[str, Bookmark]) -> None:
        self.id = log_id
        self.stored = events
        self.places = bookmarks

    def log_id(self) -> str:
        return self.id

    def head(self) -> int:
        return len(self.stored)

    def first(self) -> int:
        return min(1, self.head())

    def last(self, until: int) -> int:
        return min(until, self.head())

    def position_at(self, recorded_at: int) -> int:
        return sum(one.command.recorded_at <= recorded_at for one in self.stored)

    def latest_recorded_at(self) -> int | None:
        return self.stored[-1].command.recorded_at if self.stored else None

    def count(self, until: int = LARGEST, *, after: int = 0) -> int:
        return len(self.stored[after:until])

    def changed_between(self, after: int, until: int) -> list[str]:
        found = self.stored[after:until]
        return list({one.command.server_id for one in found if not one.refused})

    def tip(self, until: int = LARGEST) -> Tip:
        if not self.stored[:until]:
            return Tip()
        last = self.stored[:until][-1]
        command = last.command
        request_id = command.request_id.encode()
        stream = last.stream.encode()
        numbers = last.version, command.command_id
        return Tip(last.position, stream, *numbers, request_id, command.recorded_at)

    def news(self, after: int, of: Container[str]) -> list[News] | None:
        return [
            (one.command.server_id, one.fact)
            for one in self.stored[after:]
            if not one.refused and one.command.server_id in of
        ]

    def row_hash(self, position: int) -> str | None:
        row = self.row(position)
        return row and hashlib.sha256(msgspec.json.encode(row)).hexdigest()

    def facts(self, after: int, limit: int, until: int = LARGEST) -> Page[Fact]:
        page = self._page(after, self.stored[after : min(after + limit, until)])
        facts = [one.fact for one in page.events if not one.refused]
        return Page(facts, page.last, page.stopped_by)

    def events(self, after: int, limit: int) -> Page[RecordedEvent]:
        page = self._page(after, self.stored[after : after + limit])
        return Page([one.recorded for one in page.events], page.last, page.stopped_by)

    def events_named(self, after: int, limit: int, names: Sequence[str]) -> Page[RecordedEvent]:
        named = [
            one
            for one in self.stored[after:]
            if not one.refused and (not names or one.topic.split(":")[1] in names)
        ]
        events: list[RecordedEvent] = []
        for one in named[:limit]:
            try:
                events.append(one.recorded)
            except (StoreDamaged, UnknownEvent) as error:
                return Page(events, one.position - 1, error)
        last = events[-1].position if len(events) == limit else max(after, self.head())
        return Page(events, last, None)

    def _page(self, after: int, some: list[Stored]) -> Page[Stored]:
        last = after
        for number, one in enumerate(some):
            try:
                _ = one.event
            except UnknownEvent as unknown:
                return Page(some[:number], last, unknown)
            last = one.position
        return Page(some, last, None)

    def events_at(self, positions: Sequence[int]) -> list[RecordedEvent]:
        return [one.recorded for one in self.stored if one.position in positions]

    def history(
        self,
        server_id: str,
        *,
        version: int = LARGEST,
        position: int = LARGEST,
        recorded_at: int = LARGEST,
        occurred_at: int = LARGEST,
    ) -> History:
        return History(
            one.fact
            for one in self._of(stream_of(server_id))
            if one.version <= version
            and one.position <= position
            and one.command.recorded_at <= recorded_at
            and one.command.occurred_at <= occurred_at
        )

    def recorded(
        self, server_id: str, until: int = LARGEST, *, after: int = 0, with_refusals: bool = False
    ) -> list[RecordedEvent]:
        streams = [stream_of(server_id), *([refusals_of(server_id)] if with_refusals else [])]
        found = [one.recorded for one in self._of(*streams) if after < one.position <= until]
        return sorted(found, key=lambda one: (one.occurred_at, one.position))

    def order(
        self, server_id: str, until: int = LARGEST, *, after: int = 0, with_refusals: bool = False
    ) -> list[tuple[int, int]]:
        found = self.recorded(server_id, until, after=after, with_refusals=with_refusals)
        return [(one.position, len(self.stored[one.position - 1].state)) for one in found]

    def _of(self, *streams: str) -> list[Stored]:
        return [one for one in self.stored if one.stream in streams]

    def command(self, request_id: str) -> RecordedCommand | None:
        found = (one for one in self.stored if one.command.request_id == request_id)
        return next((one.command for one in found if not one.refused), None)

    def events_of(self, command: RecordedCommand) -> list[RecordedEvent]:
        own = command.command_id
        return [one.recorded for one in self.stored if one.command.command_id == own]

    def refused_since(self, user_id: str, project_id: str, recorded_at: int) -> int:
        return sum(
            (one.command.user_id, one.command.project_id) == (user_id, project_id)
            for one in self.stored
            if one.refused and one.command.recorded_at > recorded_at
        )

    def bookmark(self, name: str) -> Bookmark | None:
        return self.places.get(name)

    def bookmarks(self) -> list[Bookmark]:
        return [self.places[name] for name in sorted(self.places)]

    def rows(self, after: int | None = None) -> Iterator[list[Row]]:
        yield [one.row for one in self.stored[after or 0 :]]

    def row(self, position: int) -> Row | None:
        return self.stored[position - 1].row if 1 <= position <= self.head() else None

    def streams(self) -> Iterator[Row]:
        return iter(sorted((one.row for one in self.stored), key=lambda row: row[1:3]))

    def commands(self) -> Iterator[Row]:
        for _, events in groupby(self.stored, key=lambda one: one.command.command_id):
            first = next(events)
            yield (*_columns(first.command), first.refused, first.position)

    def commands_without_events(self) -> list[Any]:
        return []

    def findings(self) -> Iterator[Finding]:
        return iter(())


class ListWriting(ListReading, BulkWriting):
    """The same, to be appended to: lists of its own, until they take the place of the others."""

    keeps_refusals = True
    recent_refusals: RecentRefusals
    ahead: Ahead

    def so_far(
        self, server_id: str, position: int = LARGEST, base: Server | None = None
    ) -> History:
        return self.ahead.history(server_id) or self.ahead.read(server_id, self.history(server_id))

    def append(self, command: RecordedCommand, version: int, events: Sequence[Event]) -> list[int]:
        self.ahead.appended(command.server_id, version + len(events))
        return self._append(stream_of(command.server_id), command, version, events)

    def append_many(self, batch: Iterable[tuple[RecordedCommand, int, Sequence[Event]]]) -> None:
        for one in batch:
            self.append(*one)

    def append_refusal(self, command: RecordedCommand, refusal: CommandRefused) -> None:
        stream = refusals_of(command.server_id)
        self._append(stream, command, len(self._of(stream)), [refusal], refused=1)

    def append_rows(self, rows: Sequence[Row]) -> None:
        for position, stream, version, topic, state, *columns, refused in rows:
            columns[6] = tuple(msgspec.json.decode(columns[6]))
            command = RecordedCommand(*columns)
            self.stored.append(Stored(position, stream, version, topic, state, command, refused))
            if not refused:
                self.ahead.appended(command.server_id, version)

    def _append(
        self,
        stream: str,
        command: RecordedCommand,
        version: int,
        events: Sequence[Event],
        refused: int = 0,
    ) -> list[int]:
        before = self.head()
        last = self.stored[-1].command.command_id if self.stored else 0
        command = replace(command, command_id=last + 1)
        for topic, state in CODEC.encode_all(events):
            version += 1
            place = self.head() + 1
            self.stored.append(Stored(place, stream, version, topic, state, command, refused))
        return list(range(before + 1, self.head() + 1))


class ListLog(Log):
    """A log in lists, which go with their process."""

    caches = None
    is_kept = False

    def __init__(self) -> None:
        self._now = _empty()
        self._is_closed = False
        self._commits = 0
        self._writing = Lock()
        self._grown = Condition()
        self._held: dict[str, Lock] = {}
        self.recent_refusals = RecentRefusals()
        self._remembered = Remembered(self)
        self.server = self._remembered.server
        self.server_at_once = self._remembered.server_at_once
        writer = Writer(self)
        self.accept = writer.accept
        self.accept_many = writer.accept_many

    @contextmanager
    def bulk(self) -> Iterator[ListWriting]:
        with self._writing:
            now = self._required()
            grown = ListWriting(now.id, list(now.stored), dict(now.places))
            grown.recent_refusals = self.recent_refusals
            grown.ahead = Ahead(self._remembered, grown)
            yield grown
            self._now = ListReading(grown.id, grown.stored, grown.places)
            self._commits += 1
        grown.ahead.committed(grown.tip())
        self.wake()

    def writing(self, seconds: float | None = None) -> AbstractContextManager[ListWriting]:
        return self.bulk()

    @contextmanager
    def reading(self) -> Iterator[ListReading]:
        yield self._required()

    examining = reading

    @contextmanager
    def backup(self, path: Path, progress: Progress = silent) -> Iterator[ListReading]:
        now = self._required()
        if path.exists():
            raise InvalidInput("out", f"{path} is there already")
        yield now
        path.write_bytes(pickle.dumps(now))
        progress(1, 1)

    @classmethod
    def of_backup(cls, path: Path) -> ListLog:
        log = cls()
        log._now = pickle.loads(path.read_bytes())
        return log

    def mark(self) -> int | None:
        return self._commits

    def wake(self) -> None:
        with self._grown:
            self._grown.notify_all()

    def wait_past(self, position: int, seconds: float) -> None:
        with self._grown:
            if self._required().head() <= position:
                self._grown.wait(seconds)

    @contextmanager
    def alone(self, name: str, seconds: float = 0) -> Iterator[bool]:
        held = self._held.setdefault(name, Lock())
        mine = held.acquire(timeout=seconds)
        try:
            yield mine
        finally:
            if mine:
                held.release()

    def keep_bookmark(
        self, place: Bookmark, instead_of: Bookmark | None, tip: Tip | None = None
    ) -> bool:
        with self.bulk() as log:
            stands = log.bookmark(place.name) == instead_of
            stands = stands and (tip is None or log.tip(tip.position) == tip)
            if stands:
                log.places[place.name] = place
        return stands

    def forget(self) -> None:
        with self._writing:
            self._now = _empty()
            self._commits += 1

    def close(self) -> None:
        self._is_closed = True

    def _required(self) -> ListReading:
        if self._is_closed:
            raise StoreError("the log is closed")
        return self._now


def _empty() -> ListReading:
    return ListReading(str(uuid4()), [], {})
