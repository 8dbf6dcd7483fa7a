"""What a rule refused, kept in the log: in a stream of its own beside the server's.

So it never contends with the server's version, and the ledger covers it. It bears its request id
without claiming it. Nobody can fill the disk with what they may not do: only so many
refusals of an actor are recorded in a minute.
"""

from __future__ import annotations

import os

import msgspec

from serverdomain.domain.events import CommandRefused
from serverdomain.errors import InvalidInput, Refused
from serverdomain.store.log import Writing
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


def keep(log: Writing, command: RecordedCommand, refused: Refused) -> bool:
    """Record a refusal; False where the actor has too many."""
    since = command.recorded_at - MINUTE
    if log.refused_since(command.user_id, command.project_id, since) >= MOST:
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
    log.append_refusal(command, event)
    return True
