"""A command as a log's rows hold it, with its events: what a record of an audit is about.

Events of other applications have no command and are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from serverdomain.adapters.exchange.line import is_ours
from serverdomain.domain import moment
from serverdomain.errors import StoreDamaged
from serverdomain.store.codec import PREFIX
from serverdomain.store.log import Row

_members = msgspec.json.Decoder(dict[str, Any]).decode
_roles = msgspec.json.Decoder(list[str]).decode


class Happened(NamedTuple):
    """An event: where it stands, its name, and its members as JSON says them."""

    position: int
    version: int
    topic: str
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The event's permanent name."""
        return self.topic.split(":")[1]


class Asked(NamedTuple):
    """A command; times in microseconds since 1970 UTC."""

    command_id: int
    kind: str
    server_id: str
    user_id: str
    project_id: str
    roles: list[str]
    request_id: str
    correlation_id: str | None
    caused_by: str | None
    occurred_at: int
    recorded_at: int
    refused: bool
    events: tuple[Happened, ...]

    @property
    def position(self) -> int:
        """The position of its last event."""
        return self.events[-1].position

    @property
    def refusal(self) -> tuple[str, str]:
        """The rule that said no, and why."""
        data = self.events[-1].data
        return data["rule"], data["why"]


def asked(rows: Iterable[Row]) -> Iterator[Asked]:
    """The commands of rows in order, each with those of its events that are among them.

    Raises `StoreDamaged` for one that cannot be read.
    """
    for command_id, found in groupby(rows, itemgetter(5)):
        if command_id is not None:
            yield _asked(list(found))


def _asked(rows: list[Row]) -> Asked:
    (command_id, kind, server_id, _, user_id, project_id, roles, *ids) = rows[0][5:]
    request_id, correlation_id, caused_by, occurred_at, recorded_at, refused = ids
    try:
        for row in rows:
            _require_ours(row)
        return Asked(
            command_id,
            kind,
            server_id,
            user_id,
            project_id,
            _roles(roles),
            request_id,
            correlation_id,
            caused_by,
            occurred_at,
            recorded_at,
            bool(refused),
            tuple(Happened(row[0], row[2], row[3], _members(row[4])) for row in rows),
        )
    except (msgspec.DecodeError, ValueError, IndexError, RecursionError) as error:
        raise StoreDamaged(
            f"position {rows[0][0]!a} cannot be read ({error}): serverdomain check says more"
        ) from error


def _require_ours(row: Row) -> None:
    """Raise `ValueError` where a column holds what none of ours does."""
    are_times = all(type(at) is int and moment.EARLIEST <= at <= moment.LATEST for at in row[15:17])
    if not (is_ours(row) and are_times and row[3].startswith(PREFIX)):
        raise ValueError("a column holds what none of ours does")
    "".join(text for text in row if type(text) is str).encode()
