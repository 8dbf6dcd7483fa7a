"""A query of rows of servers: which rows, and where a page of them begins."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import TypedDict

from serverdomain.domain import limits, moment
from serverdomain.domain.server import Server
from serverdomain.domain.typed import require_type
from serverdomain.errors import InvalidInput
from serverdomain.store.log import LARGEST, Log

STATUSES = ("ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF")

SORTS = ("created", "updated", "name", "status", "image_id", "flavor_id", "project_id")
"""What rows can be sorted by."""
_NEWEST, _OLDEST = "created DESC, first_position DESC", "created, first_position"

MOST_VALUES = 100
"""The most values of one member that a query may have."""


class Asked(TypedDict, total=False):
    """Which servers are asked for; see `Servers.list`."""

    status: str | Iterable[str] | None
    name: str | Iterable[str] | None
    image_id: str | Iterable[str] | None
    flavor_id: str | Iterable[str] | None
    project_id: str | Iterable[str] | None
    anchored: bool
    limit: int | None
    marker: str | None
    sort: str | None
    offset: int


class ServerQuery:
    """A query of the rows: conditions with their values, a limit and a marker.

    Raises `InvalidInput` for an unknown status, a negative limit and text that has no UTF-8 form.
    """

    def __init__(
        self,
        *,
        status: str | Iterable[str] | None = None,
        name: str | Iterable[str] | None = None,
        image_id: str | Iterable[str] | None = None,
        flavor_id: str | Iterable[str] | None = None,
        project_id: str | Iterable[str] | None = None,
        anchored: bool = False,
        limit: int | None = None,
        marker: str | None = None,
        sort: str | None = None,
        offset: int = 0,
    ) -> None:
        several = {"status": _several("status", status), "image_id": _several("image_id", image_id)}
        several["flavor_id"] = _several("flavor_id", flavor_id)
        several["project_id"] = _several("project_id", project_id)
        for one in several["status"] or ():
            if one not in STATUSES:
                raise InvalidInput("status", f"{one!r} came, {', '.join(STATUSES)} are allowed")
        _require_whole("limit", limit)
        _require_whole("offset", offset)
        _require_flag("anchored", anchored)
        self._limit = -1 if limit is None or limit > LARGEST else limit  # SQLite has no larger.
        self._offset, self._order = min(offset, LARGEST), _order(sort)
        self._marker, self._projects = marker, several["project_id"]
        if marker is not None:
            limits.text("marker", marker)
            if sort is not None or offset:
                raise InvalidInput("marker", "it came with sort or offset, one of them is allowed")
        self._conditions: list[str] = []
        self._values: list[str | int] = []
        for member, values in several.items():
            if values is not None:
                self._any_of([(f"{member} = ?", value) for value in values])
        names = _several("name", name)
        if names is not None:
            self._any_of([_part(part, anchored) for part in names])

    def rows(
        self,
        connection: sqlite3.Connection,
        log: Log,
        until: int = LARGEST,
        most_bytes: int = LARGEST,
    ) -> list[str]:
        """The column ``server`` of the rows asked for, newest first.

        They end behind the row with which they reach ``most_bytes``. A marker that has no row, or
        none any more, is looked up in the ``log``, up to the position ``until`` that the rows are
        of.
        """
        if self._marker is not None:
            created, position = self._place(connection, self._marker, log, until)
            # An index finds the beginning by the first part.
            self._where(
                "created <= ? AND (created < ? OR first_position < ?)", created, created, position
            )
        page = f"FROM server {self._wanted} ORDER BY {self._order} LIMIT ? OFFSET ?"
        if self._order != _NEWEST:
            # Ids are sorted, and not whole servers; they are all in one index, see `server_rows`.
            page = f"FROM server WHERE id IN (SELECT id {page}) ORDER BY {self._order}"
        values = (*self._values, self._limit, self._offset)
        found = connection.execute(f"SELECT server {page}", values)
        servers: list[str] = []
        size = 0
        with closing(found):
            for (server,) in found:
                servers.append(server)
                size += len(str(server))  # In a damaged view it may be anything.
                if size >= most_bytes:
                    break
        return servers

    def count(self, connection: sqlite3.Connection) -> int:
        """How many rows were asked for, whatever the limit and wherever a page begins."""
        query = f"SELECT COUNT(*) FROM server {self._wanted}"
        ((number,),) = connection.execute(query, self._values)
        return int(number)

    @property
    def _wanted(self) -> str:
        return f"WHERE {' AND '.join(self._conditions)}" if self._conditions else ""

    def _any_of(self, conditions: list[tuple[str, ...]]) -> None:
        # None of them is true of any row where there is none.
        either = " OR ".join(condition for condition, *_ in conditions) or "0"
        self._where(f"({either})" if len(conditions) > 1 else either)
        self._values.extend(value for _, *values in conditions for value in values)

    def _where(self, condition: str, *values: str | int) -> None:
        self._conditions.append(condition)
        self._values.extend(values)

    def _place(
        self, connection: sqlite3.Connection, marker: str, log: Log, until: int
    ) -> tuple[str, int]:
        found = connection.execute(
            "SELECT created, first_position, project_id FROM server WHERE id = ?",
            (limits.text("marker", marker),),
        ).fetchone()
        if found is None and (server := _past(log, marker, until)) is not None:
            # Deleted since it ended the page before: the list goes on from where it was.
            found = moment.exact(server.created_micros), server.first_position, server.project_id
        if found is None or (self._projects is not None and found[2] not in self._projects):
            raise InvalidInput(
                "marker", f"{limits.shown(marker)} came, the id of a server is allowed"
            )
        return found[0], found[1]


def _require_whole(member: str, number: int | None) -> None:
    if number is not None and (type(number) is not int or number < 0):
        raise InvalidInput(
            member, f"{limits.shown(number)} came, a whole number of at least 0 is allowed"
        )


def _require_flag(member: str, given: object) -> None:
    if type(given) is not bool:
        raise InvalidInput(member, f"{limits.shown(given)} came, True or False is allowed")


def _order(sort: str | None) -> str:
    if sort is None:
        return _NEWEST
    column, colon, way = limits.text("sort", sort).partition(":")
    if column not in SORTS or (colon and way not in ("asc", "desc")):
        raise InvalidInput(
            "sort", f"{limits.shown(sort)} came, {', '.join(SORTS)} is allowed, :desc behind it"
        )
    if column == "created":
        return _NEWEST if way == "desc" else _OLDEST
    # The plus keeps an index of that column alone away: each row would be read for the others.
    return f"+{column} {'DESC' if way == 'desc' else 'ASC'}, {_NEWEST}"


def _past(log: Log, marker: str, until: int) -> Server | None:
    try:
        server_id = limits.canonical_uuid("marker", marker)
    except InvalidInput:
        return None
    with log.reading() as reading:
        return reading.so_far(server_id, until).server


def _several(member: str, given: str | Iterable[str] | None) -> list[str] | None:
    if given is None:
        return None
    if not isinstance(given, str):
        require_type(member, given, str | Iterable)
    values = [given] if isinstance(given, str) else given
    several = list(dict.fromkeys(limits.text(member, one) for one in values))
    if len(several) > MOST_VALUES:
        raise InvalidInput(member, f"{len(several)} values came, {MOST_VALUES} are allowed")
    return several


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
