"""The port to the log: what an engine does for everybody else.

An engine is a folder of this room that provides a `Log` and, with it, a `Reading` and a `Writing`.
Nobody outside it knows where the log lies or in which tables. What an engine has to promise is
tested by `serverdomain.testing.store_contract`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from serverdomain.domain.events import CommandRefused, Event
from serverdomain.domain.history import Fact, History
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.server import Server
from serverdomain.errors import StoreError
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.finding import Finding
from serverdomain.store.recent_refusals import RecentRefusals
from serverdomain.store.recorded import RecordedCommand, RecordedEvent
from serverdomain.store.request import Outcome, Request

LARGEST = 2**63 - 1
"""No version, position or time lies above it."""

Item = TypeVar("Item")
Row = tuple[Any, ...]
Answer = Outcome | Exception
"""What came of a command: its outcome, or what is raised in its place."""
Answered = Answer | RecordedCommand
"""The same, or the command that was recorded under its request id before."""


class CommitFailed(StoreError):
    """A commit failed, so that nobody can tell whether it happened."""


class Unanswered(CommitFailed):
    """Nobody was told whether what a ``writing`` sent is written; ``is_written`` finds out.

    Where it is, the writing's answers hold `as_written`, and nothing takes them back. Raises
    `Overtaken` where it has to be asked again.
    """

    def __init__(self, message: str, writing: Writing, is_written: Callable[[], bool]) -> None:
        super().__init__(message)
        self.writing = writing
        self.is_written = is_written


class Tip(NamedTuple):
    """The last row of a log as it is stored: whoever knows the log to there knows it again by it.

    Texts are bytes. That of an empty log is at position 0.
    """

    position: int = 0
    stream: bytes = b""
    version: int = 0
    command_id: int | None = None
    request_id: bytes | None = None
    recorded_at: int | None = None


News = tuple[str, Fact | None]
"""The id of a server, and a fact of it that was appended; ``None`` for one that cannot be read."""


class Overtaken(StoreError):
    """Nothing of a batch is written, and it may go better at once: decide it again.

    Another wrote what it was decided on, or the connection went.
    """


class Page(NamedTuple, Generic[Item]):
    """Some events in order of position, and how far they lead.

    Everything at or below ``last``, and behind the page before, is in the page or passed over;
    where the log ends there, ``last`` is what the page was asked to begin behind. ``stopped_by``
    says why the event behind ``last`` cannot be read, if it cannot.
    """

    events: list[Item]
    last: int
    stopped_by: StoreError | None


class Reading(Protocol):
    """The log as it is at one moment, whoever appends meanwhile: a method for each question.

    Positions and versions count from 1; 0 stands for none. Times are microseconds since 1970 UTC.
    A server's id is in canonical form. Events of ours that cannot be read raise `StoreDamaged`,
    those of a newer release `UnknownEvent`; those of other applications are passed over.
    """

    # The whole log

    def log_id(self) -> str:
        """The id that the log was given when it was made.

        Raises `StoreDamaged` where somebody has taken it away, or added one.
        """

    def head(self) -> int:
        """The last position."""

    def first(self) -> int:
        """The first position."""

    def last(self, until: int) -> int:
        """The last position at or below another."""

    def position_at(self, recorded_at: int) -> int:
        """The last position that the log had taken in at a time."""

    def latest_recorded_at(self) -> int | None:
        """When the log took its latest command in."""

    def count(self, until: int = LARGEST, *, after: int = 0) -> int:
        """How many events, of whatever application, stand behind a position and up to another."""

    def changed_between(self, after: int, until: int) -> list[str]:
        """The ids of the servers that have facts behind one position and up to another."""

    def tip(self, until: int = LARGEST) -> Tip:
        """The last row, or the last at or below a position."""

    def news(self, after: int, of: Container[str]) -> list[News] | None:
        """What was appended to some servers behind a position, in order; others are passed over.

        ``None`` where that is more than a page, or holds text that cannot be read.
        """

    def row_hash(self, position: int) -> str | None:
        """A hash of what the log holds at a position, the command with it; ``None`` for nothing.

        Whoever followed the log to there can tell by it whether it is still the same log.
        """

    def facts(self, after: int, limit: int, until: int = LARGEST) -> Page[Fact]:
        """The facts behind a position, of at most ``limit`` events; refusals are passed over.

        A page has fewer, though at least one, where an engine would otherwise hold too many bytes.
        """

    def events(self, after: int, limit: int) -> Page[RecordedEvent]:
        """The same with all that the log says of them; refusals are among them."""

    def events_named(self, after: int, limit: int, names: Sequence[str]) -> Page[RecordedEvent]:
        """At most ``limit`` facts of these names behind a position; without names, all facts.

        A damaged one stops the page as one of a newer release does, right behind its ``last``.
        """

    def events_at(self, positions: Sequence[int]) -> list[RecordedEvent]:
        """The events that stand at these positions, in order of position; refusals too."""

    # One server

    def history(
        self,
        server_id: str,
        *,
        version: int = LARGEST,
        position: int = LARGEST,
        recorded_at: int = LARGEST,
        occurred_at: int = LARGEST,
    ) -> History:
        """A server's facts, of those within all these bounds."""

    def so_far(
        self, server_id: str, position: int = LARGEST, base: Server | None = None
    ) -> History:
        """A server's history up to a position, to be gone on from.

        It begins behind ``base``, if it was folded up to there, or behind what the log remembers;
        so it costs what is new. Of a long one no more is held at a time than a part.
        """
        return self.history(server_id, position=position)

    def recorded(
        self, server_id: str, until: int = LARGEST, *, after: int = 0, with_refusals: bool = False
    ) -> list[RecordedEvent]:
        """A server's events behind a position and up to another, with all that is known.

        In order of occurrence. ``with_refusals``, what was refused stands among them.
        """

    def order(
        self, server_id: str, until: int = LARGEST, *, after: int = 0, with_refusals: bool = False
    ) -> list[tuple[int, int]]:
        """The positions of what `recorded` gives, in its order, each with about its size in bytes.

        See `serverdomain.store.in_order`.
        """

    def lately(self, server_id: str, names: Sequence[str], versions: int) -> list[RecordedEvent]:
        """The facts of these names among a server's first and its last so many versions.

        In order of occurrence; the others are not read, so it costs no more on a long history.
        """
        recorded = self.recorded(server_id)
        head = max((one.version for one in recorded), default=0)
        return [
            one
            for one in recorded
            if one.name in names and (one.version == 1 or one.version > head - versions)
        ]

    # One command

    def command(self, request_id: str) -> RecordedCommand | None:
        """The recorded command that bears a request id; refused ones claim none."""

    def events_of(self, command: RecordedCommand) -> list[RecordedEvent]:
        """The events of a command, in order of position."""

    def first_positions(self, commands: Collection[RecordedCommand]) -> dict[int, int]:
        """The position of each command's first event, by the command's id."""
        return {one.command_id: self.events_of(one)[0].position for one in commands}

    def refused_since(self, user_id: str, project_id: str, recorded_at: int) -> int:
        """How many refusals to an actor were recorded after a time."""

    # Reactions

    def bookmark(self, name: str) -> Bookmark | None:
        """The place of a reaction; ``None`` for one that never ran here."""

    def bookmarks(self) -> list[Bookmark]:
        """The places of all reactions, by name."""

    # Where it is

    def moved_to(self) -> str | None:
        """Where the log went, so that it is written no more here; ``None`` for one that is here."""
        return None

    # As it is stored, damaged or not

    def rows(self, after: int | None = None) -> Iterator[list[Row]]:
        """Every event in order of position, other applications' too, many at a time.

        ``after``, only those behind a position.

        A row holds the columns that docs/ledger-spec.md names, from the position on, as they are
        stored: nothing is decoded and nothing expected of a value. Text that is no UTF-8 comes with
        surrogate escapes.
        """

    def row(self, position: int) -> Row | None:
        """The row of `rows` at a position."""

    def streams(self) -> Iterator[Row]:
        """The rows of `rows`, one by one, in order of stream and version."""

    def commands(self) -> Iterator[Row]:
        """Every command in its order, as a row: its columns, then its first event's position.

        The columns are those of a command in `rows`, behind the command's id.
        """

    def commands_without_events(self) -> list[Any]:
        """The ids of the commands that no event belongs to, in order; a sound log has none."""


class Examination(Reading, Protocol):
    """The log for whoever checks it: opened to be read alone, even where `open` would refuse."""

    def findings(self) -> Iterator[Finding]:
        """What the engine itself finds: integrity, guards, counters and what else is its own."""


class Writing(Reading, Protocol):
    """A reading that nobody else writes during, and that may append to the log.

    ``keeps_refusals`` and ``recent_refusals`` are its log's.
    """

    keeps_refusals: bool
    recent_refusals: RecentRefusals

    as_written: Callable[[Answered], Answered] | None = None
    """What was answered here with the positions that it has, once it is written, if others."""

    def expect(self, requests: Sequence[Request]) -> None:
        """Be told what is about to be decided: an engine that is far away asks for all at once."""
        return

    def version(self, server_id: str) -> int:
        """The version of a server's last event; 0 if it has none."""
        return self.so_far(server_id).version

    def append(self, command: RecordedCommand, version: int, events: Sequence[Event]) -> list[int]:
        """Append a command and its events behind ``version``; gives back their positions.

        The id in ``command`` is not used. Raises `InvalidInput` for an event that could not be
        read again.
        """

    def append_many(self, batch: Iterable[tuple[RecordedCommand, int, Sequence[Event]]]) -> None:
        """Append commands in their order, each with its events behind a version of its server."""

    def append_refusal(self, command: RecordedCommand, refusal: CommandRefused) -> None:
        """Append what was refused, in a stream of its own beside the server's."""


class BulkWriting(Writing, Protocol):
    """A writing in which much is appended at once."""

    def append_rows(self, rows: Sequence[Row]) -> None:
        """Append events as another log holds them, as `rows` gives them: with all their numbers.

        They lie behind the last position, in order; whoever asks has seen to it that they are
        sound. Raises `StoreError` where the log's own guards say no.
        """


class Log(Protocol):
    """An append-only log of servers' facts, shared by threads.

    ``read_only`` says that it answers questions alone; what would write raises `StoreReadOnly`.
    ``keeps_refusals`` says whether what a rule refuses is recorded, ``recent_refusals`` how often
    that was, while the log lies ahead of the clock. ``caches`` is the path beside which lies what
    is made from the log (``cloud.db`` has ``cloud.view.db``), ``None`` where that is kept in
    memory. Every method raises `StoreError` where the log cannot be used.
    """

    read_only: bool = False
    keeps_refusals: bool = True
    recent_refusals: RecentRefusals
    caches: Path | None

    def __str__(self) -> str:
        """Where it lies, as a person is told."""
        return "memory:" if self.caches is None else str(self.caches)

    accept: Callable[[Request], Outcome]
    """Take a command in: see `serverdomain.store.writer.Writer.accept`."""

    accept_many: Callable[[Sequence[Request]], list[Answer]]
    """Take commands in, in their order: see `serverdomain.store.writer.Writer.accept_many`."""

    server: Callable[[str], Server | None]
    """A server as it is now: see `serverdomain.store.remembered.Remembered.server`."""

    beginning: Callable[[Reading, str], Server | None] | None = None
    """Finds a server as of some row of a reading, from which a long history may be folded on."""

    server_at_once: Callable[[str, int | None], Server | None]
    """The same, if it is known: see `serverdomain.store.remembered.Remembered.server_at_once`."""

    def writing(self, seconds: float | None = None) -> AbstractContextManager[Writing]:
        """Decide in one transaction; what is appended is written at its end, as a whole.

        Where it has to wait for a lock to begin, it does so for ``seconds``, or as long as for any.
        Nothing is written if it raises. Raises `CommitFailed` where the end does not tell whether
        it was. An engine that decides before it locks raises `Overtaken`, and gives positions that
        hold once they are `Writing.as_written`. For the writer, which is the one way in.
        """

    def bulk(self) -> AbstractContextManager[BulkWriting]:
        """Append much at once; written as a whole at the end, or not at all if it raises."""

    def reading(self) -> AbstractContextManager[Reading]:
        """The log as it is now."""

    def examining(self) -> AbstractContextManager[Examination]:
        """The log as it is now, for a check."""

    def backup(
        self, path: Path, progress: Progress = silent
    ) -> AbstractContextManager[Examination]:
        """Copy the log as it is now into one file, while others go on writing; gives the copy.

        The file takes its place at ``path`` when the block ends without an error, whole and synced.
        ``progress`` is told how much is copied, and of how much. Raises `InvalidInput` where
        something is at ``path``.
        """

    def mark(self) -> int | None:
        """A number that is another one once anything was committed, in whatever process.

        Waits for nobody; ``None`` where it cannot be told at once.
        """

    def asked_mark(self) -> int | None:
        """The same, for who may wait for it."""
        return self.mark()

    def wait_past(self, position: int, seconds: float) -> None:
        """Wait until the log has grown past a position, at most so many seconds.

        What this process appends is noticed at once, what another does at the latest when the time
        is over.
        """

    def wake(self) -> None:
        """Let those who wait in this process look again."""

    def alone(self, name: str, seconds: float = 0) -> AbstractContextManager[bool]:
        """Whether the caller, of all that ask for a name, may work now; held until it ends.

        Waits for its turn for so many seconds. What holds it gives it up with its process.
        """

    def still_alone(self, name: str) -> bool:
        """Whether who was let work under a name may go on; never waits.

        An engine whose locks end by themselves, while their holder sleeps, knows by the time.
        """
        return True

    def keep_bookmark(
        self, place: Bookmark, instead_of: Bookmark | None, tip: Tip | None = None
    ) -> bool:
        """Keep a reaction's place, if it still stands where it was seen; whether it did.

        ``instead_of`` is ``None`` where there was none. With a ``tip``, the log must still have
        that row.
        """

    @property
    def is_kept(self) -> bool:
        """Whether it outlives its process."""

    def forget(self) -> None:
        """Throw a log away that is not kept, and begin an empty one."""

    def close(self) -> None:
        """Give back what it holds; it cannot be used any more."""
