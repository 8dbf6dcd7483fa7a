"""The fleet as of a moment: every server that was there, as rows that can be queried, not changed.

The rows of the nearest keyframe are read where they lie. What changed since is folded, and laid
over them in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar, Unpack
from uuid import UUID

from sqlite_utils import Database

from serverdomain.audit.as_of import AsOf, fleet_position
from serverdomain.audit.keyframes import Frame, Keyframes, create_rows
from serverdomain.domain.limits import canonical_uuid
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.server import Server, is_there
from serverdomain.domain.typed import typed
from serverdomain.errors import StoreDamaged
from serverdomain.projections import server_rows
from serverdomain.projections.server_page import fold_page
from serverdomain.projections.server_query import Asked, ServerQuery
from serverdomain.store.log import Log
from serverdomain.store.sqlite.faults import store_error

_PAGE = 8_192
# The schema main has an empty table `server`: sqlite-utils looks for names only there.
_OVER = """
CREATE TEMP VIEW server AS
    SELECT * FROM keyframe.server k
        WHERE NOT EXISTS (SELECT 1 FROM main.changed c WHERE c.id = k.id)
    UNION ALL
    SELECT * FROM main.changed WHERE server IS NOT NULL
"""
_LOOKING = frozenset(
    ("table_info", "table_xinfo", "index_list", "index_info", "index_xinfo", "foreign_key_list")
)

Rows = dict[str, Server | None]
Answer = TypeVar("Answer")


@typed
class Fleet:
    """Every server that was there as of a ``position``, in a table ``server`` like the view's.

    It is a context manager. Nothing can be written through it.
    """

    def __init__(
        self,
        log: Log,
        keyframes: Keyframes,
        as_of: AsOf | None = None,
        progress: Progress = silent,
    ) -> None:
        self._log = log
        self._keyframes = keyframes
        self._progress = progress
        self._base: Frame | None = None
        with log.reading() as reading:
            self.position = reading.head() if as_of is None else fleet_position(reading, as_of)
        self._open()

    @property
    def connection(self) -> sqlite3.Connection:
        """A read-only connection to the rows."""
        return self._connection

    def servers(self, **asked: Unpack[Asked]) -> list[Server]:
        """The servers, newest first; takes what `Servers.list` takes."""
        query = ServerQuery(**asked)
        return self._ask(
            lambda rows: [
                server_rows.read_row(one) for one in query.rows(rows, self._log, self.position)
            ]
        )

    def count(self, **asked: Unpack[Asked]) -> int:
        """How many servers `servers` would give without a limit."""
        return self._ask(ServerQuery(**asked).count)

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        """Run a SELECT; gives a dictionary for each row. Raises the errors of `sqlite3`."""
        given: Any = parameters

        def read(rows: sqlite3.Connection) -> list[Any]:
            database = Database(rows, execute_plugins=False, recursive_triggers=False)
            return list(database.query(sql, given))

        return self._ask(read)

    def __len__(self) -> int:
        ((count,),) = self._ask(lambda rows: rows.execute("SELECT COUNT(*) FROM server").fetchall())
        return int(count)

    def __bool__(self) -> bool:
        return True  # It is there, even if no server was.

    def __iter__(self) -> Iterator[Server]:
        return iter(self.servers())

    def __contains__(self, server: str | UUID | Server) -> bool:
        server_id = server.id if isinstance(server, Server) else canonical_uuid("server", server)
        return bool(self._ask(lambda rows: server_rows.servers_in(rows, "server", [server_id])))

    def __repr__(self) -> str:
        return f"<Fleet of {self._log} as of position {self.position}>"

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        while True:
            self._connection = sqlite3.connect(
                ":memory:", uri=True, isolation_level=None, check_same_thread=False
            )
            try:
                self._fill()
            except sqlite3.DatabaseError as error:
                self._connection.close()
                self._do_without(error)
            except BaseException:
                self._connection.close()
                raise
            else:
                self._connection.execute("PRAGMA query_only = ON")
                self._connection.set_authorizer(_reads_only)
                return

    def _fill(self) -> None:
        spacing = self._keyframes.spacing()
        at = self._load()
        passes = self.position // spacing > at // spacing
        with self._keyframes.alone() if passes else nullcontext(False) as mine:
            if mine:
                self._keyframes.tidy(spacing)
            while (stop := (at // spacing + 1) * spacing) <= self.position:
                frame = self._keyframes.at(stop, spacing)
                changed = self._forward(at, stop)
                if mine and frame.since in (0, at):
                    rows: Iterable[tuple[Any, ...]] = map(_row, changed.items())
                    if not frame.since:
                        rows = self._connection.execute("SELECT * FROM server")
                    mine = self._keyframes.keep(frame, rows)
                at = stop
        self._forward(at, self.position)

    def _load(self) -> int:
        # Load the rows of the nearest keyframes, and return the position up to which they lead.
        rows = self._connection
        for table in ("server", "changed"):
            create_rows(rows, table)
        chain = self._keyframes.chain(self.position)
        while chain and not self._keyframes.attach(rows, chain[0], "keyframe"):
            chain = self._keyframes.chain(self.position)
        self._base = chain[0] if chain else None
        if self._base is None:
            rows.execute("ATTACH ':memory:' AS keyframe")
            rows.execute("CREATE TABLE keyframe.server AS SELECT * FROM main.server")
        at = 0 if self._base is None else self._base.position
        for step in chain[1:]:
            if not self._keyframes.attach(rows, step, "step"):
                break
            rows.execute("INSERT OR REPLACE INTO changed SELECT * FROM step.server")
            rows.execute("DETACH step")
            at = step.position
        rows.execute(_OVER)
        return at

    def _forward(self, at: int, until: int) -> Rows:
        # Fold what lies between two positions and lay it over the rows.
        changed: Rows = {}
        while at < until:
            with self._log.reading() as log:
                page = log.facts(at, _PAGE, until)
            if page.stopped_by is not None:
                raise page.stopped_by
            changed |= fold_page(
                self._log,
                page,
                changed,
                lambda ids: server_rows.servers_in(self._connection, "server", ids),
            )
            at = until if page.last == at else page.last
            self._progress(min(at, self.position), self.position)
        self._connection.execute("BEGIN")
        server_rows.put_rows(
            self._connection, "changed", len(server_rows.COLUMNS), map(_row, changed.items())
        )
        self._connection.execute("COMMIT")
        return changed

    def _ask(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        while True:
            try:
                return question(self._connection)
            except sqlite3.DatabaseError as error:
                self._do_without(error)
                self._connection.close()
                self._open()

    def _do_without(self, error: sqlite3.DatabaseError) -> None:
        # The rows of the base are read where they lie, so its damage may show at any time.
        is_damage = isinstance(error, sqlite3.DataError) or isinstance(
            store_error(error, self._keyframes.folder), StoreDamaged
        )
        if self._base is None or not is_damage:
            raise error
        self._keyframes.drop(self._base, f"is damaged ({error})")
        self._base = None


def _row(changed: tuple[str, Server | None]) -> tuple[Any, ...]:
    server_id, server = changed
    if not is_there(server):
        return (server_id, *[None] * (len(server_rows.COLUMNS) - 1))
    return server_rows.row(server)


def _reads_only(action: int, what: str | None, *_: object) -> int:
    # query_only refuses writes; a PRAGMA could turn that off.
    sets = action == sqlite3.SQLITE_PRAGMA and what not in _LOOKING
    attaches = action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH)
    return sqlite3.SQLITE_DENY if sets or attaches else sqlite3.SQLITE_OK
