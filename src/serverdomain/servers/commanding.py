"""The way of a command: from whoever asks, to the log."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Unpack, overload
from uuid import UUID, uuid4

from msgspec import UNSET

from serverdomain.domain import commands as c
from serverdomain.domain import limits, moment
from serverdomain.domain.typed import require_type, require_types
from serverdomain.errors import InvalidInput, NotFound
from serverdomain.servers.accepted import Accepted, How
from serverdomain.store.context import Context
from serverdomain.store.log import Log
from serverdomain.store.request import Outcome, Request

Clock = Callable[[], datetime]
"""Tells the time, aware."""

ServerId = str | UUID
"""A server's id, in any form of a UUID."""

_CANONICAL = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PASSWORD_LENGTH = 12
_PASSWORD_LETTERS = string.ascii_letters + string.digits


def system_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class Commanding:
    """Asks commands of the servers in a log, at the time that a clock tells."""

    _log: Log
    _clock: Clock
    _answered = True

    @overload
    def command(  # type: ignore[overload-overlap]
        self,
        server_id: ServerId | None,
        command: c.RecordFacts,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Outcome: ...

    @overload
    def command(
        self,
        server_id: ServerId | None,
        command: c.Command,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted: ...

    def command(
        self,
        server_id: ServerId | None,
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
        if not (
            isinstance(command, c.Command)  # type: ignore[redundant-expr]
            and (context is None or type(context) is Context)
            and (expected_version is None or type(expected_version) is int)
            and (project_id is None or type(project_id) is str)
        ):
            require_types(Commanding.command, {**locals()})
        context = context or Context()
        now, micros = self._clock(), moment.to_micros
        request = Request(
            server_id=_meant(server_id, command),
            command=command,
            context=context,
            now=micros(now, "clock"),
            occurred_at=None if occurred_at is None else micros(occurred_at, "occurred_at"),
            expected_version=expected_version,
            project_id=project_id,
            answered=self._answered,
        )
        return self._answer(request, self._log.accept(request))

    def _answer(self, request: Request, outcome: Outcome) -> Accepted | Outcome:
        command = request.command
        if isinstance(command, c.RecordFacts):
            return outcome
        assert outcome.server is not None  # What decides on nothing is a beginning, or raised.
        return Accepted(
            outcome.server,
            outcome.events,
            outcome.position,
            outcome.replayed,
            request.context.request_id,
            None if outcome.replayed else _password(command),
        )


def known_form(server_id: ServerId) -> str:
    """An id as the log has it. Raises `NotFound` for text that is no id: no server has it."""
    if type(server_id) is str and _CANONICAL.fullmatch(server_id):
        return server_id
    require_type("server_id", server_id, ServerId)
    try:
        return limits.canonical_uuid("server_id", server_id)
    except InvalidInput:
        raise NotFound(f"server {limits.shown(server_id)} is not there: ids are UUIDs") from None


def _meant(server_id: ServerId | None, command: c.Command) -> str:
    if server_id is None and command.begins:
        named = getattr(command, "server_id", UNSET)
        return str(uuid4()) if named is UNSET else known_form(named)
    return known_form(server_id)  # type: ignore[arg-type]  # Of None it says what is allowed.


def _password(command: c.Command) -> str | None:
    if not isinstance(command, c.RebuildServer | c.CreateServer):
        return None
    if command.admin_pass is not None:
        return command.admin_pass
    # One number for all of its letters: see `new_request_id` on asking the system often.
    base, letters = len(_PASSWORD_LETTERS), []
    number = secrets.randbelow(base**_PASSWORD_LENGTH)
    for _ in range(_PASSWORD_LENGTH):
        number, letter = divmod(number, base)
        letters.append(_PASSWORD_LETTERS[letter])
    return "".join(letters)
