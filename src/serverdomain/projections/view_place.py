"""Where a view lies, and how its file is found or made there.

At the default place a damaged file is replaced, because it is only a cache of ours, and so is one
that a log left behind which is gone. That of a log that is only read is kept in memory where the
disk has no room for it. At a place that somebody chose, nothing is touched unless it is a sound
view of this log.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from serverdomain.errors import (
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreLocked,
)
from serverdomain.projections import generations, view_owner
from serverdomain.projections.kept_rows import KeptRows
from serverdomain.projections.view_file import ViewFile
from serverdomain.store.lock_timeout import lock_timeout_setting
from serverdomain.store.log import Log
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.database import drop_everything, use_wal
from serverdomain.store.sqlite.place import Place

_logger = logging.getLogger("serverdomain")

# A full disk is an I/O error, too, where it is met in shared memory.
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


class ViewPlace:
    """The place of a log's view: the ``given`` file, or the default one beside the store.

    One process at a time makes a file or puts it aside.
    """

    def __init__(self, log: Log, given: str | Path | None, kept: KeptRows) -> None:
        self._log = log
        self._kept = kept
        self._given = given is not None
        beside = Place(log.caches)
        self.place = (
            beside.beside(kept.what) if given is None else places.from_path(given, kept.what)
        )
        self.path = self.place.path
        if self.path is not None and log.caches is not None and _same(self.path, log.caches):
            raise StoreForeign(
                f"{self.path} is the store itself: name another file for its {kept.what}"
            )
        with log.reading() as reading:
            self._log_id = reading.log_id()

    def open(self) -> ViewFile:
        """Find the view's file, or make it. Raises `StoreError` if neither is possible."""
        try:
            return self.found() or self._make()
        except StoreDamaged:
            return self._make()
        except StoreError as error:
            if not self._has_no_room(error):
                raise
            return self._in_memory(error)

    def instead_of(self, file: ViewFile, error: StoreError) -> ViewFile:
        """Replace a file that is gone or damaged. Raises ``error`` if it is neither."""
        if file.is_there():
            if self._has_no_room(error):
                return self._in_memory(error)
            if not isinstance(error, StoreDamaged) or error.place != file.place:
                raise error
            return self._make(file, error)
        gone = self.place
        made = self.open()
        _logger.warning("%s is gone: made anew and replayed from zero", gone)
        return made

    def found(self) -> ViewFile | None:
        """The view's file, if there is one of this log and this schema; none is made."""
        try:
            if self.path is None or not places.holds(
                self.path, self._kept.application_id, self._kept.what
            ):
                return None
            file = ViewFile(self.place, self._kept)
            try:
                with file.reading() as connection:
                    current = self._schema(connection) == self._kept.schema
                    moved = current and not view_owner.is_at(connection, self._log.caches)
                if current:
                    use_wal(file.connections)
                    if moved:
                        with file.writing() as connection:
                            view_owner.move(connection, self._log.caches)
                    return file
            except StoreError:
                file.close()
                raise
        except StoreForeign as foreign:
            raise StoreForeign(f"{foreign}; {self._advice}") from None
        file.close()
        return None

    def _make(self, damaged: ViewFile | None = None, damage: StoreError | None = None) -> ViewFile:
        patience = lock_timeout_setting()
        with self._log.alone(f"_{self._kept.what}", patience) as mine:
            if not mine:
                raise StoreLocked(
                    f"{self.place} is being made by another process, waited {patience:g} s for it"
                )
            # Another process may have been here before.
            if damaged is not None and damaged.is_there():
                self._put_aside(damage)
            try:
                found = self.found()
            except StoreDamaged as damage:
                self._put_aside(damage)
                found = None
            return found or self._made()

    def _has_no_room(self, error: StoreError) -> bool:
        # Who only reads needs no room on any disk either.
        cause = error.__cause__
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
        failed = isinstance(cause, OSError) or code in _NO_ROOM
        return not self._given and self._log.read_only and failed

    def _in_memory(self, error: StoreError) -> ViewFile:
        _logger.warning("%s; it is kept in memory and replayed from zero", error)
        self.place, self.path = Place(None), None
        return self._made()

    def _put_aside(self, damage: StoreError | None) -> None:
        if self._given or self.path is None:
            raise StoreDamaged(f"{damage}; {self._advice}") from None
        aside = self.path.with_name(f"{self.path.name}.damaged")
        try:
            os.replace(self.path, aside)
        except OSError as error:
            raise StoreError(f"{damage}; it cannot be put aside: {error.strerror}") from None
        _logger.warning("%s; put aside as %s and replayed from zero", damage, aside.name)

    def _made(self) -> ViewFile:
        if self.path is not None:
            _clear(self.path)
        file = ViewFile(self.place, self._kept, new=True)
        try:
            with file.writing() as connection:
                self._bring_up(connection)
            use_wal(file.connections)
        except StoreError:
            file.close()
            raise
        return file

    def _bring_up(self, connection: sqlite3.Connection) -> None:
        schema = self._schema(connection)
        if schema != 0:
            _logger.warning(
                "%s has schema %s, this release's %ss have %s: replayed from zero",
                self.place,
                schema,
                self._kept.what,
                self._kept.schema,
            )
            drop_everything(connection)
        view_owner.write(connection, self._log_id, self._log.caches)
        generations.create(connection, self._kept)
        connection.execute(f"PRAGMA application_id = {self._kept.application_id}")
        connection.execute(f"PRAGMA user_version = {self._kept.schema}")

    def _schema(self, connection: sqlite3.Connection) -> int:
        """The schema of a view that follows our log; 0 if nothing is made yet."""
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if schema:
            follows = view_owner.log_ids(connection)
            if follows != [self._log_id]:
                if not self._given and view_owner.is_gone(connection, self._log.caches, follows):
                    raise StoreDamaged(
                        f"{self.place} is the {self._kept.what} of another log, which is gone"
                    )
                raise StoreForeign(f"{self.place} is the {self._kept.what} of another log")
        return int(schema)

    @property
    def _advice(self) -> str:
        return f"name another file, or remove {self.place} (if nobody needs it)"


def _clear(path: Path) -> None:
    """Remove what is left of an earlier file: whoever has that open still shares its memory."""
    shared = f"{path}-shm"
    with suppress(OSError):
        if os.stat(path).st_size == 0 and os.path.lexists(shared):
            path.unlink()
    # A -wal beside an empty file SQLite removes itself.
    if not os.path.exists(path):
        with suppress(OSError):
            os.unlink(shared)


def _same(one: Path, other: Path) -> bool:
    return one == other or (os.path.exists(one) and os.path.exists(other) and one.samefile(other))
