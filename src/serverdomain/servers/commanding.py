"""The way of a command: from whoever asks, to the log."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, overload
from uuid import uuid4

from msgspec import UNSET

from serverdomain.domain import commands as c
from serverdomain.domain import limits, moment
from serverdomain.errors import InvalidInput, NotFound
from serverdomain.servers.accepted import Accepted, How
from serverdomain.store.context import Context
from serverdomain.store.log import Log
from serverdomain.store.request import Outcome, Request

if TYPE_CHECKING:
    from typing_extensions import Unpack

Clock = Callable[[], datetime]
"""Tells the time, aware."""

_PASSWORD_LENGTH = 12
_PASSWORD_LETTERS = string.ascii_letters + string.digits


def system_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class Commanding:
    """Asks commands of the servers in a log, at the time that a clock tells."""

    _log: Log
    _clock: Clock

    @overload
    def command(  # type: ignore[overload-overlap]
        self,
        server_id: str | None,
        command: c.RecordFacts,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Outcome: ...

    @overload
    def command(
        self,
        server_id: str | None,
        command: c.Command,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted: ...

    def command(
        self,
        server_id: str | None,
        command: c.Command,
        context: Context | None = None,
        *,
        expected_version: int | None = None,
        occurred_at: datetime | None = None,
        project_id: str | None = None,
    ) -> Accepted | Outcome:
        """Ask a command of a server: what every method does that bears a command's name.

        ``server_id`` may be ``None`` for a command that names its server itself, or leaves its id
        to be generated. `RecordFacts` gives an `Outcome`, whose server may not have begun.
        """
        context = context or Context()
        if server_id is None:
            named = getattr(command, "server_id", UNSET)
            server_id = str(uuid4()) if named is UNSET else named
        now, micros = self._clock(), moment.to_micros
        request = Request(
            server_id=known_form(server_id),
            command=command,
            context=context,
            now=micros(now, "clock"),
            occurred_at=None if occurred_at is None else micros(occurred_at, "occurred_at"),
            expected_version=expected_version,
            project_id=project_id,
        )
        outcome = self._log.accept(request)
        if isinstance(command, c.RecordFacts):
            return outcome
        assert outcome.server is not None  # What decides on nothing is a beginning, or raised.
        return Accepted(
            outcome.server,
            outcome.events,
            outcome.position,
            outcome.replayed,
            None if outcome.replayed else _password(command),
        )


def known_form(server_id: str) -> str:
    """An id as the log has it. Raises `NotFound` for what is no id: no server has it."""
    try:
        return limits.canonical_uuid("server_id", server_id)
    except InvalidInput:
        raise NotFound(f"server {limits.shown(server_id)} is not there: ids are UUIDs") from None


def _password(command: c.Command) -> str | None:
    if not isinstance(command, c.RebuildServer | c.CreateServer):
        return None
    if command.admin_pass is not None:
        return command.admin_pass
    return "".join(secrets.choice(_PASSWORD_LETTERS) for _ in range(_PASSWORD_LENGTH))
