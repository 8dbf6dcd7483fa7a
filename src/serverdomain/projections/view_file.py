"""The file of a view: whose log it follows, and its generations of rows.

A generation is one table of rows (``server_7``) with the position up to which it has followed the
log and a hash of the log's row there. One of them is live: the SQL view ``server`` shows it. A
replay fills the next one beside it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from serverdomain.errors import StoreDamaged, StoreForeign
from serverdomain.store.connections import Connections
from serverdomain.store.place import Place, from_path

APPLICATION_ID = 0x5D766965
"""``PRAGMA application_id`` of a view."""

SCHEMA = 1
"""``PRAGMA user_version`` of a view. Grows with the tables' shape, and when the fold changes."""

_log = logging.getLogger("serverdomain")


class Generation(NamedTuple):
    """One table of rows, and how far it has followed the log."""

    number: int
    position: int
    row_hash: str | None

    @property
    def table(self) -> str:
        """The name of its table."""
        return f"server_{self.number}"


class ViewFile:
    """A view's file, made where it is not there, and made anew where it is no longer sound.

    ``given`` is a path that somebody chose: what lies there is never touched unless it is this
    log's view.
    """

    def __init__(
        self,
        store: Place,
        log_id: str,
        given: str | Path | None,
        columns: Mapping[str, type],
        indexed: tuple[str, ...],
    ) -> None:
        self.place = store.view() if given is None else from_path(given, "view")
        self._given = given is not None
        self._log_id = log_id
        self._columns = dict(columns)
        self._indexed = indexed
        self.connections = self._connections()
        try:
            self._open()
        except StoreDamaged as damage:
            self.make_anew(damage)

    def _connections(self) -> Connections:
        return Connections(self.place, application_id=APPLICATION_ID, what="view")

    def _open(self) -> None:
        try:
            if not self.connections.exists():
                self.connections.make()
            with self.connections.writing() as connection:
                self._bring_up(connection)
        except StoreForeign as foreign:
            raise StoreForeign(f"{foreign}; {self._advice()}") from None
        self.connections.use_wal()

    def _bring_up(self, connection: sqlite3.Connection) -> None:
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if schema == SCHEMA:
            (follows,) = connection.execute("SELECT log_id FROM follows").fetchone()
            if follows != self._log_id:
                raise StoreForeign(f"{self.place} is the view of another log")
            return
        if schema != 0:
            _log.warning(
                "%s has schema %s, this release's views have %s: replayed from zero",
                self.place,
                schema,
                SCHEMA,
            )
            _drop_everything(connection)
        connection.execute("CREATE TABLE follows (log_id TEXT NOT NULL)")
        connection.execute("INSERT INTO follows VALUES (?)", (self._log_id,))
        connection.execute(
            "CREATE TABLE generations (generation INTEGER PRIMARY KEY, live INTEGER NOT NULL,"
            " position INTEGER NOT NULL, row_hash TEXT)"
        )
        self.switch(connection, self.begin(connection))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")

    def make_anew(self, damage: StoreDamaged) -> None:
        """Put a damaged file aside and begin again; one at a given place is left to its owner."""
        self.connections.close()
        if self._given or self.place.path is None:
            raise StoreDamaged(f"{damage}; {self._advice()}") from None
        aside = self.place.path.with_name(f"{self.place.path.name}.damaged")
        _log.warning("%s; put aside as %s and replayed from zero", damage, aside.name)
        os.replace(self.place.path, aside)
        for suffix in ("-wal", "-shm"):
            self.place.path.with_name(f"{self.place.path.name}{suffix}").unlink(missing_ok=True)
        self.connections = self._connections()
        self._open()

    def _advice(self) -> str:
        return f"remove {self.place} to have the view made there, or name another file"

    def live(self, connection: sqlite3.Connection) -> Generation:
        """The generation that is shown."""
        row = connection.execute(
            "SELECT generation, position, row_hash FROM generations WHERE live = 1"
        ).fetchone()
        return Generation(*row)

    def generation(self, connection: sqlite3.Connection, number: int) -> Generation | None:
        """A generation; ``None`` once a later one was switched to."""
        row = connection.execute(
            "SELECT generation, position, row_hash FROM generations WHERE generation = ?",
            (number,),
        ).fetchone()
        return None if row is None else Generation(*row)

    def begin(self, connection: sqlite3.Connection) -> int:
        """Make the table of the next generation, empty; gives back its number."""
        (number,) = connection.execute(
            "SELECT COALESCE(MAX(generation), 0) + 1 FROM generations"
        ).fetchone()
        table = Database(connection, execute_plugins=False).table(f"server_{number}")
        table.create(self._columns, pk="id", not_null={"id", "status", "server"})
        for column in self._indexed:
            table.create_index([column])
        connection.execute("INSERT INTO generations VALUES (?, 0, 0, NULL)", (number,))
        return int(number)

    def moved(
        self, connection: sqlite3.Connection, number: int, position: int, row_hash: str | None
    ) -> None:
        """Say how far a generation has followed the log, in the transaction of its rows."""
        connection.execute(
            "UPDATE generations SET position = ?, row_hash = ? WHERE generation = ?",
            (position, row_hash, number),
        )

    def switch(self, connection: sqlite3.Connection, number: int) -> None:
        """Show a generation and drop those before it; open readers see the rows change at once."""
        connection.execute("DROP VIEW IF EXISTS server")
        connection.execute(f"CREATE VIEW server AS SELECT * FROM server_{number}")
        older = connection.execute(
            "SELECT generation FROM generations WHERE generation < ?", (number,)
        ).fetchall()
        for (old,) in older:
            connection.execute(f"DROP TABLE server_{old}")
        connection.execute("DELETE FROM generations WHERE generation < ?", (number,))
        connection.execute("UPDATE generations SET live = (generation = ?)", (number,))


def _drop_everything(connection: sqlite3.Connection) -> None:
    for kind in ("view", "table"):
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite_%'", (kind,)
        ).fetchall()
        for (name,) in names:
            connection.execute(f'DROP {kind} "{name}"')
