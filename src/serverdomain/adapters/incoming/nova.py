"""Nova's versioned notifications: what each reports, and every value that it gave.

A payload carries new values only, so from what to what is the fold's to tell. What a message
reports stands beside a `ServerObserved` with all its values: before it where the fact alone would
say less than the values, behind it where it needs the server to be there.
"""

from __future__ import annotations

from functools import lru_cache

from serverdomain.adapters.incoming.message import (
    Envelope,
    PassedOver,
    Reported,
    actor,
    context,
    identity,
    unwrapped,
    utc,
)
from serverdomain.adapters.incoming.observed import image, observed, parse, why
from serverdomain.adapters.incoming.payloads import Instance, at_once, instance, task
from serverdomain.domain import events as e
from serverdomain.domain.limits import canonical_uuid
from serverdomain.errors import InvalidInput

_SCHEDULING = "compute_task.rebuild_server.error"
_REBUILDING = "rebuilding"
_TIMES = ("created_at", "launched_at", "updated_at", "terminated_at", "deleted_at")

_utc = lru_cache(maxsize=4096)(utc)


@lru_cache(maxsize=4096)
def _latest(*times: str | None) -> int | None:
    """The latest of a server's times, each of which is one, or not said."""
    told = zip(times, _TIMES, strict=True)
    return max((parse(time, name) for time, name in told if time is not None), default=None)


def read(raw: bytes) -> tuple[Reported | PassedOver]:
    """What one message becomes. Raises `InvalidInput` for one that cannot be read."""
    message = at_once(raw)
    if message is not None:
        return (_instance(message, message.payload.data, raw),)
    envelope, own = unwrapped(raw)
    kind = envelope.event_type
    if not kind:
        raise InvalidInput("event_type", "nothing came, a notification has one")
    if kind.startswith("instance."):
        return (_instance(envelope, instance(envelope), own),)
    return (_scheduling(envelope, own) if kind == _SCHEDULING else PassedOver(kind),)


def _instance(envelope: Envelope, said: Instance, own: bytes) -> Reported | PassedOver:
    kind = envelope.event_type or ""
    at = _latest(
        said.created_at, said.launched_at, said.updated_at, said.terminated_at, said.deleted_at
    )
    if envelope.timestamp is not None:
        at = _utc(envelope.timestamp, "timestamp")
    if at is None:
        return PassedOver(kind)
    server_id = canonical_uuid("uuid", said.uuid)
    named = identity(envelope, own)
    asked = context(
        "nova",
        named,
        actor(
            (said.action_initiator_user, said.action_initiator_project),
            (envelope.user_id, envelope.project_id),
        ),
        said.request_id or envelope.request_id,
        envelope.global_request_id,
    )
    rebuild_id = asked.caused_by or asked.request_id
    before, behind = _reported(kind, said, rebuild_id)
    events = (*before, observed(server_id, said, at), *behind)
    return Reported(server_id, events, asked, at)


def _reported(
    kind: str, said: Instance, rebuild_id: str
) -> tuple[tuple[e.Event, ...], tuple[e.Event, ...]]:
    """What a message reports, before and behind the values that it gave."""
    match kind:
        case "instance.create.end":
            return (e.ServerBuilt(),), ()
        case "instance.power_off.end":
            return (e.ServerStopped(),), ()
        case "instance.power_on.end":
            return (e.ServerStarted(),), ()
        case "instance.rebuild.end":
            progress = 100 if said.progress is None else said.progress
            return (e.RebuildCompleted(rebuild_id, progress),), ()
        case "instance.rebuild_scheduled" | "instance.rebuild.start":
            return (), (_requested(said, rebuild_id),)
        case "instance.rebuild.error":
            failed = e.RebuildFailed(rebuild_id, "hypervisor", why(said.fault))
            return (), (_requested(said, rebuild_id), failed)
        case "instance.lock":
            # As Nova has it: a lock is an administrator's where the project is not the server's.
            is_owners = said.action_initiator_project in (None, said.tenant_id)
            return (), (e.ServerLocked("owner" if is_owners else "admin"),)
        case "instance.unlock":
            return (), (e.ServerUnlocked(),)
    update = said.state_update and said.state_update.data
    if kind == "instance.delete.end" or said.state == "deleted":
        return (), (e.ServerDeleted(),)
    if update and update.new_task_state == _REBUILDING != update.old_task_state:
        return (), (_requested(said, rebuild_id),)
    return (), ()


def _requested(said: Instance, rebuild_id: str) -> e.RebuildRequested:
    return e.RebuildRequested(rebuild_id, image(said) or "", "unknown")


def _scheduling(envelope: Envelope, own: bytes) -> Reported | PassedOver:
    said = task(envelope)
    if envelope.timestamp is None:
        return PassedOver(_SCHEDULING)
    asked = context(
        "nova",
        identity(envelope, own),
        actor((envelope.user_id, envelope.project_id)),
        envelope.request_id,
        envelope.global_request_id,
    )
    failed = e.RebuildFailed(asked.caused_by or asked.request_id, "scheduling", why(said.reason))
    at = _utc(envelope.timestamp, "timestamp")
    return Reported(canonical_uuid("instance_uuid", said.instance_uuid), (failed,), asked, at)
