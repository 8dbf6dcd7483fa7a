"""What is said of an event beside its proof: what it changed from what to what, who asked, when.

A leaf holds what an event says, and not what was there before. So what it changed is told from the
log, and whoever reads it knows that it is not proved.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from serverdomain.domain import moment
from serverdomain.errors import StoreError

if TYPE_CHECKING:
    from serverdomain.projections.history import HistoryEntry
    from serverdomain.store.log import Reading

_TOPIC = "serverdomain:"


class Words:
    """The words for events of a log, each server's history read once."""

    def __init__(self, log: Reading) -> None:
        self._log = log
        self._known: dict[str, dict[int, HistoryEntry]] = {}

    def of(self, position: int, server_id: object) -> tuple[str, ...]:
        """What is said of an event; nothing of one that is none of a server's, or is damaged."""
        if not isinstance(server_id, str):
            return ()
        try:
            entry = self._entries(server_id).get(position)
        except StoreError:
            return ()
        return () if entry is None else tuple(_lines(entry))

    def _entries(self, server_id: str) -> dict[int, HistoryEntry]:
        from serverdomain.projections.history import history

        if server_id not in self._known:
            recorded = self._log.recorded(server_id, with_refusals=True)
            self._known[server_id] = {one.position: one for one in history(recorded)}
        return self._known[server_id]


def told_of_leaf(event: dict[str, Any]) -> Iterator[str]:
    """What a leaf itself says of an event: which, of which server, who asked, and when."""
    topic, server_id = event["topic"], event["server_id"]
    if not isinstance(topic, str) or not topic.startswith(_TOPIC) or server_id is None:
        return
    yield f"{topic.split(':')[1]} of server {server_id}"
    yield f"by {event['user_id']} in {event['project_id']}, under {event['request_id']}"
    times = [event[name] for name in ("occurred_at", "recorded_at")]
    if all(isinstance(at, int) and moment.EARLIEST <= at <= moment.LATEST for at in times):
        yield "occurred {}, recorded {}".format(*map(moment.exact, times))


def _lines(entry: HistoryEntry) -> Iterator[str]:
    shown = entry.as_json()
    yield f"position {entry.position}: {entry.name} of server {entry.server_id}"
    yield _visible(f"by {entry.user_id} in {entry.project_id}, under {entry.request_id}")
    yield f"occurred {shown['occurred_at']}, recorded {shown['recorded_at']}"
    if entry.version is None:
        data = shown["data"]
        yield _visible(f"{data['kind']} refused by the rule of {data['rule']}: {data['why']}")
    for change in entry.changes:
        before, after = (
            "absent" if value is None else json.dumps(value)
            for value in (change.before, change.after)
        )
        yield _visible(f"{change.path}: {before} -> {after}")


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
