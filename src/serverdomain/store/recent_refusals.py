"""How often an actor was refused of late, where the log cannot tell.

The log counts a minute in `recorded_at`. That stands still while the log lies ahead of the clock,
for years if the clock was once so wrong.
"""

from __future__ import annotations

from collections import OrderedDict, deque

MOST = 60
"""Refusals that an actor (a user in a project) is recorded with, at most, in a `MINUTE`."""

MINUTE = 60 * 1_000_000

MOST_ACTORS = 1000
"""Actors who are remembered, those who were refused last."""


class RecentRefusals:
    """When actors were refused in this process, by the servers' own clock.

    So many ``actors`` are remembered. The log's transaction guards it.
    """

    def __init__(self, actors: int = MOST_ACTORS) -> None:
        self._actors = actors
        self._times: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    def has_room(self, user_id: str, project_id: str, now: int) -> bool:
        """Whether an actor has not had too many; if so, this one is counted."""
        actor = user_id, project_id
        # What seems to lie ahead was counted before the clock was set back.
        times = deque((at for at in self._times.pop(actor, ()) if now - MINUTE < at <= now), MOST)
        self._times[actor] = times
        if len(self._times) > self._actors:
            self._times.popitem(last=False)
        if len(times) == MOST:
            return False
        times.append(now)
        return True
