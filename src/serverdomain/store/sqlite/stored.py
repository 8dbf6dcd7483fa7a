"""The columns of a log on SQLite that are asked for, and where they are."""

from __future__ import annotations

from serverdomain.store.stored import OF_COMMAND

EVENTS = f"SELECT e.position, e.originator_version, e.topic, e.state, {OF_COMMAND}"
"""The columns of an event and its command, as `event_of` reads them."""

OURS = "FROM stored_events e JOIN commands c USING (command_id)"
"""The rows of events of ours, refusals among them."""

RECORDED = f"{EVENTS} {OURS}"
"""The events of ours, whole."""

FACTS = (
    f"SELECT e.position, e.originator_version, e.topic, e.state, c.occurred_at, c.request_id {OURS}"
)
"""The facts of servers, as `fact_of` reads them, with the request id of their command."""
