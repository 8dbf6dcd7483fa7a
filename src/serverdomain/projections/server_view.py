"""The current server view: a row for each server that is there, with columns to query by."""

from __future__ import annotations

from typing import NamedTuple

from serverdomain.domain import limits
from serverdomain.domain.server import Server
from serverdomain.errors import InvalidInput
from serverdomain.projections import catch_up
from serverdomain.projections.server_rows import SERVERS, read_row
from serverdomain.projections.view import View
from serverdomain.projections.view_file import ViewFile

STATUSES = ("ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF")

_CONDITIONS = {"name": "instr(name, ?) > 0"}


class ViewStatus(NamedTuple):
    """How far a view has followed the log: positions, events that it lags behind, servers in it."""

    position: int
    head: int
    lag: int
    servers: int


class ServerView(View):
    """The current server view of a log."""

    kept = SERVERS

    def status(self) -> ViewStatus:
        """How far it is, as it stands, without catching up."""
        return ViewStatus(*self._ask(self._standing))

    def servers(
        self,
        *,
        caught_up: bool = False,
        status: str | None = None,
        name: str | None = None,
        image_id: str | None = None,
        project_id: str | None = None,
    ) -> list[Server]:
        """The servers that the view shows, newest first; ``name`` finds a part of a name.

        It shows them as of its position, unless it is to be ``caught_up`` first.
        """
        if status is not None and status not in STATUSES:
            raise InvalidInput("status", f"{status!r} came, {', '.join(STATUSES)} are allowed")
        wanted = {"status": status, "name": name, "image_id": image_id, "project_id": project_id}
        given = {
            member: limits.text(member, value)
            for member, value in wanted.items()
            if value is not None
        }
        conditions = [_CONDITIONS.get(member, f"{member} = ?") for member in given]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT server FROM server {where} ORDER BY created DESC, id"

        def read(file: ViewFile) -> list[Server]:
            if caught_up:
                catch_up.catch_up(self._store, file, self._page)
            with file.reading() as rows:
                found = rows.execute(query, tuple(given.values())).fetchall()
                return [read_row(server) for (server,) in found]

        return self._ask(read)
