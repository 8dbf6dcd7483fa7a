"""What a rule refused, kept in the log: in a stream of its own beside the server's.

So it never contends with the server's version, and the ledger covers it. It bears its request id
without claiming it. Nobody fills the disk with what he may not do: an actor is recorded with so
many refusals a minute, the others pass unrecorded.
"""

from __future__ import annotations

import os
import sqlite3

import msgspec

from serverdomain.domain.events import CommandRefused
from serverdomain.errors import InvalidInput, Refused
from serverdomain.store import queries
from serverdomain.store.recorded import RecordedCommand

SETTING = "SERVERDOMAIN_REFUSALS"

MOST = 60
"""Refusals that an actor (a user in a project) is recorded with, at most, in a `MINUTE`."""

MINUTE = 60 * 1_000_000


def setting() -> bool:
    """Whether refusals are to be recorded: ``SERVERDOMAIN_REFUSALS`` is ``on``, or ``off``."""
    given = os.environ.get(SETTING, "on")
    if given not in ("on", "off"):
        raise InvalidInput(SETTING, f"{given!r} came, on or off is allowed")
    return given == "on"


def keep(connection: sqlite3.Connection, command: RecordedCommand, refused: Refused) -> bool:
    """Record a refusal, in the caller's transaction; False where the actor had too many."""
    since = command.recorded_at - MINUTE
    if queries.refused_since(connection, command.user_id, command.project_id, since) >= MOST:
        return False
    event = msgspec.convert(
        {
            "server_id": command.server_id,
            "kind": command.kind,
            "members": msgspec.json.decode(command.members),
            "rule": refused.rule,
            "why": str(refused),
        },
        CommandRefused,
    )
    stream = queries.refusals_id(command.server_id)
    command_id = queries.insert_command(connection, command, refused=True)
    version = queries.version_of(connection, stream)
    queries.insert_events(connection, stream, version, [event], command_id)
    return True
