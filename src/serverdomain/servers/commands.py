"""Every command by its name: each of these methods is short for `Commanding.command`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar, Unpack

from msgspec import UNSET, UnsetType

from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.domain.typed import require_type
from serverdomain.servers.accepted import Accepted, How
from serverdomain.servers.commanding import Commanding, ServerId
from serverdomain.store.context import Context
from serverdomain.store.request import Outcome

Asked = TypeVar("Asked", bound=c.Command)
Item = TypeVar("Item")


class Commands(Commanding):
    """The commands of `Servers`."""

    def register(
        self, command: c.RegisterServer, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Adopt a server as it is. It occurred at its ``updated``, unless said otherwise."""
        return self.command(None, _a(c.RegisterServer, command), context, **how)

    def create(
        self, command: c.CreateServer, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Make a new server in the actor's project; BUILD until `report_built`."""
        return self.command(None, _a(c.CreateServer, command), context, **how)

    def report_built(
        self, server_id: ServerId, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Say that a created server is up."""
        return self.command(server_id, c.ReportBuilt(), context, **how)

    def rebuild(
        self,
        server_id: ServerId,
        command: c.RebuildServer,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Wipe the server and install it again from an image (documented *Rebuild server*)."""
        return self.command(server_id, _a(c.RebuildServer, command), context, **how)

    def report_progress(
        self,
        server_id: ServerId,
        percent: int,
        context: Context | None = None,
        *,
        rebuild_id: str | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Say how far the rebuild is, in percent; a lower one is late and changes nothing."""
        command = c.ReportProgress(percent=percent, rebuild_id=_given(rebuild_id))
        return self.command(server_id, command, context, **how)

    def complete_rebuild(
        self,
        server_id: ServerId,
        context: Context | None = None,
        *,
        progress: int = 100,
        rebuild_id: str | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Say that the rebuild is done; ``progress`` is the percentage shown from then on."""
        command = c.CompleteRebuild(progress=progress, rebuild_id=_given(rebuild_id))
        return self.command(server_id, command, context, **how)

    def fail_rebuild(
        self,
        server_id: ServerId,
        reason: str,
        stage: e.Stage = "hypervisor",
        context: Context | None = None,
        *,
        rebuild_id: str | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Say that the rebuild came to nothing. One that was not scheduled restores the image."""
        command = c.FailRebuild(reason=reason, stage=stage, rebuild_id=_given(rebuild_id))
        return self.command(server_id, command, context, **how)

    def rename(
        self, server_id: ServerId, name: str, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Give the server another name."""
        command = c.RenameServer(name=name)
        return self.command(server_id, command, context, **how)

    def change(
        self,
        server_id: ServerId,
        command: c.ChangeServer,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Change its name, its access addresses or its disk config, without a rebuild."""
        return self.command(server_id, _a(c.ChangeServer, command), context, **how)

    def update_metadata(
        self,
        server_id: ServerId,
        metadata: dict[str, str],
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Merge items into the metadata."""
        command = c.UpdateMetadata(metadata=metadata)
        return self.command(server_id, command, context, **how)

    def replace_metadata(
        self,
        server_id: ServerId,
        metadata: dict[str, str],
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Make the metadata this map, whole."""
        command = c.ReplaceMetadata(metadata=metadata)
        return self.command(server_id, command, context, **how)

    def delete_metadata(
        self,
        server_id: ServerId,
        keys: str | Sequence[str],
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Take items out of the metadata by their keys, each of which must be there."""
        command = c.DeleteMetadata(keys=(keys,) if isinstance(keys, str) else _all("keys", keys))
        return self.command(server_id, command, context, **how)

    def lock(
        self, server_id: ServerId, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Let only administrators act on it; the owner's lock if the project is the server's."""
        return self.command(server_id, c.LockServer(), context, **how)

    def unlock(
        self, server_id: ServerId, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Let its users act on it again; an administrator's lock only administrators open."""
        return self.command(server_id, c.UnlockServer(), context, **how)

    def stop(
        self, server_id: ServerId, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Turn it off."""
        return self.command(server_id, c.StopServer(), context, **how)

    def start(
        self, server_id: ServerId, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Turn it on."""
        return self.command(server_id, c.StartServer(), context, **how)

    def reset_state(
        self,
        server_id: ServerId,
        state: e.State,
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Accepted:
        """Say what state it is in, ACTIVE or ERROR; for administrators. Ends a rebuild."""
        command = c.ResetState(state=state)
        return self.command(server_id, command, context, **how)

    def delete(
        self, server_id: ServerId, context: Context | None = None, **how: Unpack[How]
    ) -> Accepted:
        """Remove the server, at once and for good; its history stays."""
        return self.command(server_id, c.DeleteServer(), context, **how)

    def record(
        self,
        server_id: ServerId,
        events: Sequence[e.Event],
        context: Context | None = None,
        **how: Unpack[How],
    ) -> Outcome:
        """Take in facts that happened elsewhere, at one time, in any order; no rule is asked.

        They may lie before facts that are in the log already, and take their place among them. The
        outcome's server is ``None`` while it has not begun.
        """
        return self.command(server_id, c.RecordFacts(events=_all("events", events)), context, **how)


def _a(kind: type[Asked], command: Asked) -> Asked:
    if type(command) is not kind:
        require_type("command", command, kind)
    return command


def _all(field: str, items: Sequence[Item]) -> tuple[Item, ...]:
    require_type(field, items, Iterable)
    return tuple(items)


def _given(rebuild_id: str | None) -> str | UnsetType:
    return UNSET if rebuild_id is None else rebuild_id
