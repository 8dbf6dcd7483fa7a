"""Every rule: what a command does to a server as it is, or why not.

`decide` is pure: the same server, command and actor give the same events, and a command that
changes nothing gives none. Rules are asked in Nova's order: role, lock, state, image, quota. Times
and retries are not decided here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar, cast
from uuid import UUID

from msgspec import UNSET, UnsetType

from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.actor import Actor
from serverdomain.domain.limits import MOST_METADATA, shown, text
from serverdomain.domain.server import Server, is_there
from serverdomain.errors import Conflict, InvalidInput, NotFound, Refused

Decision = tuple[e.Event, ...]
Value = TypeVar("Value")


def decide(
    server: Server | None, command: c.Command, actor: Actor, request_id: str
) -> tuple[e.Event, ...]:
    """The events that a command gives, none if it changes nothing.

    ``request_id`` is the command's; a rebuild is named by it. Raises `Refused` where a rule says
    no, `Conflict` where the state is not the one to which the command speaks, `NotFound` for a
    server that is not there, or a metadata key.
    """
    if isinstance(command, c.RecordFacts):
        return command.events
    if not command.begins and not is_there(server):
        raise NotFound("there is no such server")
    if not actor.may_act:
        raise Refused(
            "role",
            f"{actor.user_id!r} may not {command.kind}: the roles {list(actor.roles)} came, "
            "member or admin is allowed",
        )
    if isinstance(command, c.RegisterServer):
        return _register(server, command)
    if isinstance(command, c.CreateServer):
        return _create(server, command, actor)
    assert server is not None
    return _DECISIONS[type(command)](server, command, actor, request_id)


def require_there(server: Server | None, server_id: str) -> Server:
    """The server, if it has begun and was not deleted. Raises `NotFound`."""
    if not is_there(server):
        raise NotFound(f"server {server_id} is not there")
    return server


def require_project(server: Server | None, project_id: str | None) -> None:
    """For a caller who may reach one project alone, a server of another is not there."""
    if server is not None and project_id is not None and server.project_id != project_id:
        text("project_id", project_id)
        raise NotFound(f"server {server.id} is not there")


def _register(server: Server | None, command: c.RegisterServer) -> Decision:
    if server is not None:
        raise Conflict(_met(server, "is in the log already, a server is registered once"))
    return (
        e.ServerRegistered(
            server_id=command.server_id,
            name=command.name,
            project_id=command.project_id,
            user_id=command.user_id,
            image_id=command.image_id,
            flavor_id=command.flavor_id,
            state=command.status,
            metadata=command.metadata,
            addresses=command.addresses,
            access_ipv4=command.access_ipv4,
            access_ipv6=command.access_ipv6,
            host_id=command.host_id,
            progress=command.progress,
            disk_config=command.disk_config,
            created=moment.micros("created", command.created),
            fault=command.fault,
        ),
    )


def _create(server: Server | None, command: c.CreateServer, actor: Actor) -> Decision:
    if server is not None:
        raise Conflict(_met(server, "is in the log already, a server is created once"))
    if command.server_id is UNSET:
        raise ValueError("a server's id is generated before its creation is decided")
    if not command.flavor_known:
        raise InvalidInput(
            "flavor_id",
            f"{shown(command.flavor_id)} came, the id of a flavor that exists is allowed",
        )
    _require_image(command)
    metadata = _or(command.metadata, {})
    _require_quota(metadata)
    return (
        e.ServerRegistered(
            server_id=command.server_id,
            name=command.name,
            project_id=actor.project_id,
            user_id=actor.user_id,
            image_id=command.image_id,
            flavor_id=command.flavor_id,
            state="BUILD",
            metadata=metadata,
            addresses={"private": (_private_address(command.server_id),)},
            access_ipv4=_or(command.access_ipv4, ""),
            access_ipv6=_or(command.access_ipv6, ""),
            host_id=hashlib.sha224(f"{actor.project_id}compute".encode()).hexdigest(),
            disk_config=_or(command.disk_config, "MANUAL"),
        ),
    )


def _private_address(server_id: str) -> e.Address:
    # Made from the id, so that deciding again gives the same; .0 and .255 are no hosts.
    number = UUID(server_id).int
    return e.Address(f"10.{number % 256}.{number // 256 % 256}.{number // 65536 % 254 + 1}", 4)


def _report_built(server: Server, command: c.ReportBuilt, actor: Actor, _: str) -> Decision:
    if server.state != "BUILD":
        raise Conflict(_met(server, "only a server that is BUILD is reported built"))
    return (e.ServerBuilt(),)


def _rebuild(server: Server, command: c.RebuildServer, actor: Actor, request_id: str) -> Decision:
    _require_lock(server, actor)
    _require_state(server, "rebuild", ("ACTIVE", "SHUTOFF", "ERROR"))
    _require_image(command)
    if command.metadata is not UNSET:
        _require_quota(command.metadata)
    decision: list[e.Event] = [
        e.RebuildRequested(
            request_id,
            command.image_id,
            "generated" if command.admin_pass is None else "given",
        )
    ]
    if command.image_id != server.image_id:
        decision.append(e.ImageChanged(command.image_id))
    decision.extend(_renamed(server, command.name))
    if command.metadata is not UNSET:
        decision.extend(_replace_metadata(server, command.metadata))
    decision.extend(_addresses_and_disk(server, command))
    return tuple(decision)


def _renamed(server: Server, name: str | UnsetType) -> Decision:
    return () if name is UNSET or name == server.name else (e.ServerRenamed(name),)


def _addresses_and_disk(server: Server, command: c.RebuildServer | c.ChangeServer) -> Decision:
    decision: list[e.Event] = []
    changed_ipv4 = UNSET if command.access_ipv4 == server.access_ipv4 else command.access_ipv4
    changed_ipv6 = UNSET if command.access_ipv6 == server.access_ipv6 else command.access_ipv6
    if changed_ipv4 is not UNSET or changed_ipv6 is not UNSET:
        decision.append(e.AccessAddressesChanged(changed_ipv4, changed_ipv6))
    if command.disk_config is not UNSET and command.disk_config != server.disk_config:
        decision.append(e.DiskConfigChanged(command.disk_config))
    return tuple(decision)


def _report_progress(server: Server, command: c.ReportProgress, actor: Actor, _: str) -> Decision:
    rebuild_id = _under_way(server, command.rebuild_id)
    if command.percent <= server.progress:
        return ()
    return (e.RebuildProgressed(rebuild_id, command.percent),)


def _complete_rebuild(server: Server, command: c.CompleteRebuild, actor: Actor, _: str) -> Decision:
    return (e.RebuildCompleted(_under_way(server, command.rebuild_id), command.progress),)


def _fail_rebuild(server: Server, command: c.FailRebuild, actor: Actor, _: str) -> Decision:
    rebuild_id = _under_way(server, command.rebuild_id)
    failed = e.RebuildFailed(rebuild_id, command.stage, command.reason)
    assert server.rebuild is not None
    if command.stage == "scheduling" and server.rebuild.image_before != server.image_id:
        return (failed, e.ImageChanged(server.rebuild.image_before))
    return (failed,)


def _rename(server: Server, command: c.RenameServer, actor: Actor, _: str) -> Decision:
    return _renamed(server, command.name)


def _change(server: Server, command: c.ChangeServer, actor: Actor, _: str) -> Decision:
    return (*_renamed(server, command.name), *_addresses_and_disk(server, command))


def _update_metadata(server: Server, command: c.UpdateMetadata, actor: Actor, _: str) -> Decision:
    return _change_metadata(server, server.metadata | command.metadata, actor)


def _replace_whole(server: Server, command: c.ReplaceMetadata, actor: Actor, _: str) -> Decision:
    return _change_metadata(server, command.metadata, actor)


def _delete_metadata(server: Server, command: c.DeleteMetadata, actor: Actor, _: str) -> Decision:
    for key in command.keys:
        if key not in server.metadata:
            raise NotFound(f"server {server.id} has no metadata key {shown(key)}")
    _require_metadata(server, actor)
    # No quota: more may have been adopted than a request may set.
    kept = {key: value for key, value in server.metadata.items() if key not in command.keys}
    return _replace_metadata(server, kept)


def _change_metadata(server: Server, metadata: dict[str, str], actor: Actor) -> Decision:
    _require_metadata(server, actor)
    _require_quota(metadata)
    return _replace_metadata(server, metadata)


def _require_metadata(server: Server, actor: Actor) -> None:
    _require_lock(server, actor)
    if server.state not in ("ACTIVE", "SHUTOFF"):
        raise Refused("state", _met(server, "its metadata changes in ACTIVE or SHUTOFF"))


def _replace_metadata(server: Server, metadata: dict[str, str]) -> Decision:
    return () if metadata == server.metadata else (e.MetadataReplaced(metadata),)


def _lock(server: Server, command: c.LockServer, actor: Actor, _: str) -> Decision:
    by_owner = actor.project_id == server.project_id
    if server.locked_by == "admin" or (server.locked_by == "owner" and by_owner):
        return ()
    return (e.ServerLocked("owner" if by_owner else "admin"),)


def _unlock(server: Server, command: c.UnlockServer, actor: Actor, _: str) -> Decision:
    if server.locked_by is None:
        return ()
    if server.locked_by == "admin" and not actor.is_admin:
        raise Refused(
            "role",
            f"server {server.id} was locked by an administrator: the roles {list(actor.roles)} "
            "came, admin is allowed",
        )
    return (e.ServerUnlocked(),)


def _stop(server: Server, command: c.StopServer, actor: Actor, _: str) -> Decision:
    _require_lock(server, actor)
    _require_state(server, "stop", ("ACTIVE", "ERROR"))
    return (e.ServerStopped(),)


def _start(server: Server, command: c.StartServer, actor: Actor, _: str) -> Decision:
    _require_lock(server, actor)
    _require_state(server, "start", ("SHUTOFF",))
    return (e.ServerStarted(),)


def _reset_state(server: Server, command: c.ResetState, actor: Actor, _: str) -> Decision:
    if not actor.is_admin:
        raise Refused(
            "role",
            f"{actor.user_id!r} may not reset a state: the roles {list(actor.roles)} came, "
            "admin is allowed",
        )
    if server.rebuild is None and server.state == command.state:
        return ()
    return (e.StateReset("ERROR" if command.state == "ERROR" else "ACTIVE"),)


def _delete(server: Server, command: c.DeleteServer, actor: Actor, _: str) -> Decision:
    _require_lock(server, actor)
    return (e.ServerDeleted(),)


def _require_lock(server: Server, actor: Actor) -> None:
    if server.locked_by is not None and not actor.is_admin:
        raise Refused(
            "lock",
            f"server {server.id} is locked by its {server.locked_by}: the roles "
            f"{list(actor.roles)} came, admin passes a lock",
        )


def _require_state(server: Server, what: str, allowed: tuple[str, ...]) -> None:
    if server.status not in allowed:
        raise Refused("state", _met(server, f"{what} is allowed in {', '.join(allowed)}"))


def _require_image(command: c.CreateServer | c.RebuildServer) -> None:
    if not command.image_known:
        raise Refused("image", f"image {command.image_id} is unknown, an existing one is allowed")


def _require_quota(metadata: dict[str, str]) -> None:
    if len(metadata) > MOST_METADATA:
        raise Refused(
            "quota", f"{len(metadata)} metadata items came, at most {MOST_METADATA} are allowed"
        )


def _under_way(server: Server, rebuild_id: str | UnsetType) -> str:
    if server.rebuild is None:
        raise Conflict(_met(server, "no rebuild is under way"))
    if rebuild_id is not UNSET and rebuild_id != server.rebuild.id:
        raise Conflict(
            _met(server, f"rebuild {server.rebuild.id} is under way, {rebuild_id} is not")
        )
    return server.rebuild.id


def _met(server: Server, rule: str) -> str:
    status = "deleted" if server.deleted else server.status
    return f"server {server.id} is {status}: {rule}"


def _or(given: Value | UnsetType, otherwise: Value) -> Value:
    return otherwise if given is UNSET else given


_DECISIONS = cast(
    "dict[type[c.Command], Callable[[Server, c.Command, Actor, str], Decision]]",
    {
        c.ReportBuilt: _report_built,
        c.RebuildServer: _rebuild,
        c.ReportProgress: _report_progress,
        c.CompleteRebuild: _complete_rebuild,
        c.FailRebuild: _fail_rebuild,
        c.RenameServer: _rename,
        c.ChangeServer: _change,
        c.UpdateMetadata: _update_metadata,
        c.ReplaceMetadata: _replace_whole,
        c.DeleteMetadata: _delete_metadata,
        c.LockServer: _lock,
        c.UnlockServer: _unlock,
        c.StopServer: _stop,
        c.StartServer: _start,
        c.ResetState: _reset_state,
        c.DeleteServer: _delete,
    },
)
