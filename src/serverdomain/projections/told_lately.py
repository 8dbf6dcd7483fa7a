"""What a reaction was told lately: it notices by that where the log takes something back.

A log goes back where it was put back from a backup, and where another server took the place of the
one that it lay in, without the last of its events. What was told of these cannot be untold.
"""

from __future__ import annotations

from collections import deque

from serverdomain.store.codec import server_id_of, stream_of
from serverdomain.store.log import Reading, Tip
from serverdomain.store.recorded import RecordedEvent

MOST = 1_000
"""Events that are remembered; replicas lag by fewer."""

_NAMED = 10


def tip_of(recorded: RecordedEvent) -> Tip:
    """The row of a fact, as whoever followed the log to there knows it again."""
    command = recorded.command
    return Tip(
        recorded.position,
        stream_of(recorded.server_id).encode(),
        recorded.version,
        command.command_id,
        command.request_id.encode(),
        command.recorded_at,
    )


class ToldLately:
    """The events that a handler was told of last, each by its row."""

    def __init__(self) -> None:
        self._told: deque[tuple[Tip, str]] = deque(maxlen=MOST)

    @property
    def last(self) -> Tip:
        """The row of the last event that was told."""
        return self._told[-1][0] if self._told else Tip()

    def tell(self, recorded: RecordedEvent) -> None:
        """Note an event that a handler was told of."""
        self._told.append((tip_of(recorded), recorded.name))

    def forget_gone(self, log: Reading) -> str | None:
        """Forget what the log does not hold any more: in words what that is, if there is any."""
        gone: list[str] = []
        # In a log that has one row still, so are all before it.
        while self._told and log.tip(self.last.position) != self.last:
            (position, stream, _, _, request_id, _), name = self._told.pop()
            server_id = server_id_of(stream.decode())
            gone.insert(0, f"{name} of {server_id} at {position} ({(request_id or b'').decode()})")
        if not gone:
            return None
        named = ", ".join(gone[:_NAMED]) + (" and later ones" if len(gone) > _NAMED else "")
        return (
            f"the log went back, and was told of {len(gone)} events that are no more: {named}; "
            "resume it to go on behind them"
        )
