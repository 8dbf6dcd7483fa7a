"""What a rule refused, kept in the log: in a stream of its own beside the server's.

So it never contends with the server's version, and the ledger covers it. It bears its request id
without claiming it. Nobody can fill the disk with what they may not do: only so many
refusals of an actor are recorded in a minute of the servers' own clock.
"""

from __future__ import annotations

import os

import msgspec

from serverdomain.domain.events import CommandRefused
from serverdomain.errors import InvalidInput, Refused
from serverdomain.store.log import Writing
from serverdomain.store.recent_refusals import MINUTE, MOST
from serverdomain.store.recorded import RecordedCommand

SETTING = "SERVERDOMAIN_REFUSALS"


def setting() -> bool:
    """Whether refusals are to be recorded: ``SERVERDOMAIN_REFUSALS`` is ``on``, or ``off``."""
    given = os.environ.get(SETTING, "on")
    if given not in ("on", "off"):
        raise InvalidInput(SETTING, f"{given!r} came, on or off is allowed")
    return given == "on"


def keep(log: Writing, command: RecordedCommand, refused: Refused, now: int) -> bool:
    """Record a refusal at a time of the servers' clock; False where the actor has too many."""
    actor = command.user_id, command.project_id
    if now < command.recorded_at:
        if not log.recent_refusals.has_room(*actor, now):
            return False
    elif log.refused_since(*actor, now - MINUTE) >= MOST:
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
