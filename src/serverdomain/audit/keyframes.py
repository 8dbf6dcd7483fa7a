"""Keyframes: the rows of a fleet as of a position, so that no question folds the log from zero.

Each is a small SQLite file, written once and never changed. They lie in the folder
``cloud.keyframes`` beside the log, or in memory if the log does. Every sixteenth keyframe is whole;
the others hold what changed since the one before. A question makes the keyframes that it misses,
one process at a time. They are a cache and can be removed at any time.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from sqlite_utils import Database

from serverdomain.domain import events, history, moment, server
from serverdomain.errors import StoreError
from serverdomain.projections import server_page, server_rows
from serverdomain.store import codec
from serverdomain.store.log import Log
from serverdomain.store.sqlite.place import Place

APPLICATION_ID = 0x5D6B6579
"""``PRAGMA application_id`` of a keyframe."""

LEAST = 4_096
"""The least number of positions between two keyframes: they fold in a few milliseconds."""

MOST = 256
"""The most keyframes that a log has. Before there are more, they lie twice as far apart."""

WHOLE = 16
"""One of so many keyframes is whole."""

_FOLD = (server, history, events, moment, codec, server_page, server_rows)
_logger = logging.getLogger("serverdomain")


class Frame(NamedTuple):
    """A keyframe: the rows that changed after ``since`` (0: all rows), as of a position."""

    since: int
    position: int


@cache
def fingerprint(modules: tuple[ModuleType, ...] = _FOLD) -> str:
    """A digest of the source of the fold, which makes the rows of a keyframe.

    A number to be raised by hand would be forgotten one day, and answers would be silently wrong.
    This digest also changes with a comment, which only costs making the keyframes again.
    """
    digest = hashlib.sha256()
    for module in modules:
        spec = module.__spec__
        assert spec is not None
        assert spec.origin is not None
        # The loader also reads from a zip file; its type does not promise get_data.
        digest.update(getattr(spec.loader, "get_data")(spec.origin))  # noqa: B009
    return digest.hexdigest()[:16]


class Keyframes:
    """The keyframes of a log, at least ``least`` positions apart."""

    def __init__(self, log: Log, least: int = LEAST) -> None:
        self._log = log
        self._least = least
        self._held: dict[Frame, bytes] = {}
        # Those that were dropped, which may lie there still, until they are made anew.
        self._useless: set[Frame] = set()
        self.folder = Place(log.caches).keyframes()
        with log.reading() as reading:
            self._log_id = reading.log_id()

    def spacing(self) -> int:
        """How many positions lie between two keyframes while the log is as long as it is now."""
        with self._log.reading() as log:
            head = log.head()
        spacing = self._least
        while head > MOST * spacing:
            spacing *= 2
        return spacing

    def chain(self, position: int) -> list[Frame]:
        """The keyframes that lead closest to a position: a whole one, then the changes since."""
        frames = sorted(frame for frame in self._frames() if frame.position <= position)
        chain: list[Frame] = []
        at = 0
        while behind := [frame for frame in frames if frame.since == at and frame.position > at]:
            chain.append(behind[-1])
            at = behind[-1].position
        return chain

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether the caller may make keyframes now: one of all processes may."""
        with ExitStack() as stack:
            try:
                if self.folder is not None:
                    self.folder.mkdir(exist_ok=True)
                mine = stack.enter_context(self._log.alone("_keyframes"))
            except (OSError, StoreError) as error:
                why = getattr(error, "strerror", error)
                _logger.warning("%s cannot hold keyframes: %s", self.folder, why)
                mine = False
            yield mine

    def tidy(self, spacing: int) -> None:
        """Drop unused keyframes: of another fold, unfinished, or closer than the spacing.

        Only call this while `alone`.
        """
        for frame in self._frames():
            if frame.position % spacing or frame != self.at(frame.position, spacing):
                self.drop(frame)
        for path, match in self._files():
            if match["fold"] != fingerprint() or match["part"]:
                _remove(path)

    @staticmethod
    def at(position: int, spacing: int) -> Frame:
        """The keyframe that belongs at a position, which is a multiple of the spacing."""
        whole = position % (spacing * WHOLE) == 0
        return Frame(0 if whole else position - spacing, position)

    def attach(self, connection: sqlite3.Connection, frame: Frame, schema: str) -> bool:
        """Attach a keyframe's rows for reading. If it is unusable, drop it and return False."""
        wrong: str | None
        try:
            wrong = "is no file"
            if self._attach(connection, frame, schema):
                wrong = self._wrong(connection, frame, schema)
            elif self.folder is None or not os.path.lexists(self._path(frame)):
                # Or it is listed in a folder in which nothing can be opened.
                self._useless.add(frame)
                return False
        except sqlite3.Error as error:
            wrong = f"is damaged ({error})"
        if wrong is None:
            return True
        with closing(connection.execute("PRAGMA database_list")) as cursor:
            attached = {name for _, name, _ in cursor}
        if schema in attached:
            connection.execute(f"DETACH {schema}")
        self.drop(frame, wrong)
        return False

    def keep(self, frame: Frame, rows: Iterable[tuple[Any, ...]]) -> bool:
        """Keep the rows of a keyframe; returns False if it cannot be written.

        Only call this while `alone`.
        """
        image = _image(self._stands_on(frame), rows)
        if self.folder is None:
            self._held[frame] = image
        elif not _written(self._path(frame), image):
            return False
        self._useless.discard(frame)
        return True

    def drop(self, frame: Frame, wrong: str | None = None) -> None:
        """Drop a keyframe, with a warning if something was ``wrong`` with it."""
        self._useless.add(frame)
        if self.folder is None:
            self._held.pop(frame, None)
            return
        if wrong is not None:
            _logger.warning("%s %s: dropped, and made anew", self._path(frame), wrong)
        _remove(self._path(frame))

    def _frames(self) -> set[Frame]:
        kept = {
            Frame(int(match["since"]), int(match["position"]))
            for _, match in self._files()
            if match["fold"] == fingerprint() and not match["part"]
        }
        return (kept | self._held.keys()) - self._useless

    def _files(self) -> list[tuple[Path, re.Match[str]]]:
        try:
            paths = [] if self.folder is None else list(self.folder.iterdir())
        except OSError:
            return []
        return [(path, match) for path in paths if (match := _NAME.fullmatch(path.name))]

    def _path(self, frame: Frame) -> Path:
        assert self.folder is not None
        return self.folder / f"{frame.since}-{frame.position}-{fingerprint()}.db"

    def _attach(self, connection: sqlite3.Connection, frame: Frame, schema: str) -> bool:
        # False if somebody has dropped it meanwhile, or if it is no file.
        if self.folder is None:
            image = self._held.get(frame)
            if image is not None:
                connection.execute(f"ATTACH ':memory:' AS {schema}")
                connection.deserialize(image, name=schema)
            return image is not None
        # A keyframe never changes once it has its name, so it needs no lock. Opening anything but a
        # file may take for ever.
        path = self._path(frame)
        if os.path.isfile(path):
            connection.execute(f"ATTACH ? AS {schema}", (f"{path.as_uri()}?mode=ro&immutable=1",))
            return True
        return False

    def _wrong(self, connection: sqlite3.Connection, frame: Frame, schema: str) -> str | None:
        (found,) = connection.execute(f"PRAGMA {schema}.application_id").fetchone()
        if found != APPLICATION_ID:
            return "is no keyframe"
        stands_on = connection.execute(f"SELECT * FROM {schema}.stands_on").fetchall()
        connection.execute(f"SELECT id, server FROM {schema}.server LIMIT 1").fetchone()
        if stands_on != [self._stands_on(frame)]:
            return "stands on a row that is not in this log"
        return None

    def _stands_on(self, frame: Frame) -> tuple[str, int, int, str | None]:
        with self._log.reading() as log:
            return (self._log_id, *frame, log.row_hash(log.last(frame.position)))


_NAME = re.compile(
    r"(?P<since>\d{1,19})-(?P<position>\d{1,19})-(?P<fold>[0-9a-f]{16})\.db(?P<part>\.part)?",
    re.ASCII,
)


def create_rows(connection: sqlite3.Connection, table: str) -> None:
    """Make a table of servers. It has no index, because it is read as often as it is made.

    A server that is gone has a row with its id alone.
    """
    Database(connection, execute_plugins=False).table(table).create(server_rows.COLUMNS, pk="id")


def _written(path: Path, image: bytes) -> bool:
    # Whole or not at all.
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        _logger.warning("%s cannot be written: %s", path, error.strerror)
        _remove(part)
        return False
    return True


def _remove(path: Path) -> None:
    # One that is gone, or cannot be removed, is passed over all the same.
    with suppress(OSError):
        path.unlink()


def _image(stands_on: tuple[str, int, int, str | None], rows: Iterable[tuple[Any, ...]]) -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        create_rows(connection, "server")
        connection.execute(
            "CREATE TABLE stands_on (log_id TEXT, since INTEGER, position INTEGER, row_hash TEXT)"
        )
        connection.execute("BEGIN")
        connection.execute("INSERT INTO stands_on VALUES (?, ?, ?, ?)", stands_on)
        server_rows.put_rows(connection, "server", len(server_rows.COLUMNS), rows)
        connection.execute("COMMIT")
        return connection.serialize()
