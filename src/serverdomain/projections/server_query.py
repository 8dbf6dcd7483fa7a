"""A query of the server view: which rows, and where a page of them begins."""

from __future__ import annotations

import sqlite3
from typing import TypedDict

from serverdomain.domain import limits
from serverdomain.errors import InvalidInput
from serverdomain.store.log import LARGEST

STATUSES = ("ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF")


class Asked(TypedDict, total=False):
    """Which servers are asked for; see `Servers.list`."""

    status: str | None
    name: str | None
    image_id: str | None
    project_id: str | None
    anchored: bool
    limit: int | None
    marker: str | None


class ServerQuery:
    """A query of the rows: conditions with their values, a limit and a marker.

    Raises `InvalidInput` for an unknown status, a negative limit and text that has no UTF-8 form.
    """

    def __init__(
        self,
        *,
        status: str | None = None,
        name: str | None = None,
        image_id: str | None = None,
        project_id: str | None = None,
        anchored: bool = False,
        limit: int | None = None,
        marker: str | None = None,
    ) -> None:
        if status is not None and status not in STATUSES:
            raise InvalidInput("status", f"{status!r} came, {', '.join(STATUSES)} are allowed")
        if limit is not None and limit < 0:
            raise InvalidInput("limit", f"{limit} came, a whole number of at least 0 is allowed")
        # SQLite has no larger limit; -1 is none.
        self._limit = -1 if limit is None or limit > LARGEST else limit
        self._marker, self._project_id = marker, project_id
        self._conditions: list[str] = []
        self._values: list[str] = []
        wanted = {"status": status, "image_id": image_id, "project_id": project_id}
        for member, value in wanted.items():
            if value is not None:
                self._where(f"{member} = ?", limits.text(member, value))
        if name is not None:
            self._where(*_part(limits.text("name", name), anchored))

    def rows(self, connection: sqlite3.Connection) -> list[str]:
        """The column ``server`` of the rows asked for, newest first."""
        if self._marker is not None:
            created, server_id = self._marked(connection, self._marker)
            # An index finds the beginning by the first part.
            self._where("created <= ? AND (created < ? OR id > ?)", created, created, server_id)
        where = f"WHERE {' AND '.join(self._conditions)}" if self._conditions else ""
        found = connection.execute(
            f"SELECT server FROM server {where} ORDER BY created DESC, id LIMIT ?",
            (*self._values, self._limit),
        )
        return [server for (server,) in found.fetchall()]

    def _where(self, condition: str, *values: str) -> None:
        self._conditions.append(condition)
        self._values.extend(values)

    def _marked(self, connection: sqlite3.Connection, marker: str) -> tuple[str, str]:
        marked: tuple[str, str] | None = connection.execute(
            "SELECT created, id FROM server WHERE id = ? AND project_id = COALESCE(?, project_id)",
            (limits.text("marker", marker), self._project_id),
        ).fetchone()
        if marked is None:
            raise InvalidInput(
                "marker",
                f"{limits.shown(marker)} came, the id of a server that is there is allowed",
            )
        return marked


def _part(pattern: str, anchored: bool) -> tuple[str, ...]:
    """The condition that finds a part of a name, and the values in it."""
    at_start, at_end = anchored and pattern.startswith("^"), anchored and pattern.endswith("$")
    part = pattern[at_start : len(pattern) - at_end]
    if at_start and at_end:
        return "name = ?", part
    if at_start:
        return "substr(name, 1, length(?)) = ?", part, part
    if at_end and part:
        return "substr(name, -length(?)) = ?", part, part
    return "instr(name, ?) > 0", part
