"""The current server view: a row for each server that is not deleted, with columns to query by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Unpack

from serverdomain.domain.server import Server
from serverdomain.domain.typed import require_type, typed
from serverdomain.projections import following, generations
from serverdomain.projections.server_query import STATUSES, Asked, ServerQuery
from serverdomain.projections.server_rows import SERVERS, gone, read_row
from serverdomain.projections.view import View
from serverdomain.projections.view_file import ViewFile
from serverdomain.store.log import LARGEST

MOST_NAMED = 50
"""The most servers that `ServerView.named` gives."""

_NAMED = "name BETWEEN ? AND ? OR (id >= ? AND id < ?)"

__all__ = ["STATUSES", "ServerView", "ViewStatus"]


class ViewStatus(NamedTuple):
    """A view's position, the log's head, the events between them, and the servers in the view."""

    position: int
    head: int
    lag: int
    servers: int


class Named(NamedTuple):
    """A server by its id and name; ``status`` is ``None`` if it is deleted."""

    id: str
    name: str
    status: str | None


class ServerView(View):
    """The current servers of a log, as rows."""

    kept = SERVERS

    def status(self) -> ViewStatus:
        """How far it has come, without catching up."""
        return ViewStatus(*self._ask(self._standing))

    def __iter__(self) -> Iterator[Server]:
        return iter(self.servers())

    def servers(self, *, caught_up: bool = False, **asked: Unpack[Asked]) -> list[Server]:
        """The servers in the view, newest first; ``asked`` as in `Servers.list`.

        They are as of the view's position, unless it is to be ``caught_up`` first.
        """
        if type(caught_up) is not bool:
            require_type("caught_up", caught_up, bool)
        return self._some(caught_up, LARGEST, **asked)[0]

    def some(self, most_bytes: int, **asked: Unpack[Asked]) -> tuple[list[Server], bool]:
        """The first of what `Servers.list` gives, and whether the rest was left out.

        The rest begins behind the server with which they reach ``most_bytes``, as rows.
        """
        if type(most_bytes) is not int:
            require_type("most_bytes", most_bytes, int)
        return self._some(True, most_bytes, **asked)

    def _some(
        self, caught_up: bool, most_bytes: int, **asked: Unpack[Asked]
    ) -> tuple[list[Server], bool]:
        def read(file: ViewFile) -> tuple[list[Server], bool]:
            if caught_up:
                following.catch_up(self._log, file, self._page)
            with file.reading() as rows:
                found = ServerQuery(**asked).rows(rows, self._log, most_bytes=most_bytes)
                return [read_row(server) for server in found], sum(map(len, found)) >= most_bytes

        return self._ask(read)

    def count(self, **asked: Unpack[Asked]) -> int:
        """How many servers `Servers.list` would give without a limit; caught up first."""

        def read(file: ViewFile) -> int:
            following.catch_up(self._log, file, self._page)
            with file.reading() as rows:
                return ServerQuery(**asked).count(rows)

        return self._ask(read)

    def flavors(self) -> list[str]:
        """The ids of the flavors that servers have, in order; caught up first."""
        return sorted(self._counted("flavor_id"))

    def projects(self) -> dict[str, int]:
        """How many servers each project has, the most first; caught up first."""
        counted = self._counted("project_id")
        return {one: counted[one] for one in sorted(counted, key=lambda one: (-counted[one], one))}

    def _counted(self, column: str) -> dict[str, int]:
        def read(file: ViewFile) -> dict[str, int]:
            following.catch_up(self._log, file, self._page)
            with file.reading() as rows:
                counted = f"SELECT {column}, COUNT(*) FROM server GROUP BY {column}"
                return dict(rows.execute(counted).fetchall())

        return self._ask(read)

    @typed
    def named(
        self, name: str, beginning: str | None = None, *, begins: bool = False
    ) -> list[Named]:
        """Servers with this name, or with this beginning of their id; deleted ones come last.

        ``begins`` finds every name that begins with it. At most `MOST_NAMED`, in order of names.
        """
        to = f"{name}\U0010ffff" if begins else name
        # No id has a letter behind f.
        found = (name, to, beginning or "-", f"{beginning or '-'}g")

        def read(file: ViewFile) -> list[Named]:
            following.catch_up(self._log, file, self._page)
            with file.reading() as rows:
                names = gone(generations.live(rows, SERVERS).table)
                query = (
                    f"SELECT * FROM (SELECT id, name, status FROM server WHERE {_NAMED}"
                    f" UNION ALL SELECT id, name, NULL FROM {names} WHERE {_NAMED})"
                    " ORDER BY status IS NULL, name, id LIMIT ?"
                )
                return list(map(Named._make, rows.execute(query, (*found, *found, MOST_NAMED))))

        return self._ask(read)
