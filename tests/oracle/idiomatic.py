"""The same server as the tutorial of `eventsourcing` would have it written.

An aggregate whose ``@event`` methods change it in place, and an application that gets it from its
repository, calls it and saves it. Nothing here comes from `serverdomain`.
"""

from typing import Any
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event


class NotAllowed(Exception):
    """A rule said no."""


class Server(Aggregate):
    @event("Registered")
    def __init__(
        self,
        server_id: str,
        name: str,
        project_id: str,
        user_id: str,
        image_id: str,
        flavor_id: str,
        state: str,
        metadata: dict[str, str],
        addresses: dict[str, list[dict[str, Any]]],
        access_ipv4: str,
        access_ipv6: str,
        host_id: str,
        progress: int,
        created: str,
        fault: dict[str, Any] | None,
        disk_config: str = "MANUAL",
    ) -> None:
        self.server_id = server_id
        self.name = name
        self.project_id = project_id
        self.user_id = user_id
        self.image_id = image_id
        self.flavor_id = flavor_id
        self.state = state
        self.metadata = metadata
        self.addresses = addresses
        self.access_ipv4 = access_ipv4
        self.access_ipv6 = access_ipv6
        self.host_id = host_id
        self.progress = progress
        self.created = created
        self.fault = fault
        self.disk_config = disk_config
        self.locked_by = ""
        self.rebuild_id = ""
        self.image_before = ""
        self.deleted = False

    @staticmethod
    def create_id(server_id: str) -> UUID:
        return UUID(server_id)

    @property
    def status(self) -> str:
        return "REBUILD" if self.rebuild_id else self.state

    # A rebuild

    def rebuild(
        self,
        rebuild_id: str,
        image_id: str,
        name: str | None = None,
        metadata: dict[str, str] | None = None,
        access_ipv4: str | None = None,
        access_ipv6: str | None = None,
        disk_config: str | None = None,
        *,
        admin: bool = False,
    ) -> None:
        self._check(admin, "ACTIVE", "SHUTOFF", "ERROR")
        self._request_rebuild(rebuild_id)
        if image_id != self.image_id:
            self._change_image(image_id)
        if name is not None:
            self.rename(name)
        if metadata is not None and metadata != self.metadata:
            self._replace_metadata(metadata)
        self._set(access_ipv4, access_ipv6, disk_config)

    def _set(
        self, access_ipv4: str | None, access_ipv6: str | None, disk_config: str | None
    ) -> None:
        ipv4 = self.access_ipv4 if access_ipv4 is None else access_ipv4
        ipv6 = self.access_ipv6 if access_ipv6 is None else access_ipv6
        if (ipv4, ipv6) != (self.access_ipv4, self.access_ipv6):
            self._change_access_addresses(ipv4, ipv6)
        if disk_config is not None and disk_config != self.disk_config:
            self._change_disk_config(disk_config)

    @event("RebuildRequested")
    def _request_rebuild(self, rebuild_id: str) -> None:
        self.rebuild_id = rebuild_id
        self.image_before = self.image_id
        self.progress = 0

    @event("ImageChanged")
    def _change_image(self, image_id: str) -> None:
        self.image_id = image_id

    @event("AccessAddressesChanged")
    def _change_access_addresses(self, access_ipv4: str, access_ipv6: str) -> None:
        self.access_ipv4 = access_ipv4
        self.access_ipv6 = access_ipv6

    @event("DiskConfigChanged")
    def _change_disk_config(self, disk_config: str) -> None:
        self.disk_config = disk_config

    def report_progress(self, percent: int, rebuild_id: str | None = None) -> None:
        self._check_under_way(rebuild_id)
        if percent > self.progress:
            self._progress(percent)

    @event("RebuildProgressed")
    def _progress(self, percent: int) -> None:
        self.progress = percent

    def complete_rebuild(self, progress: int = 100, rebuild_id: str | None = None) -> None:
        self._check_under_way(rebuild_id)
        self._complete(progress)

    @event("RebuildCompleted")
    def _complete(self, progress: int) -> None:
        self.rebuild_id = ""
        self.state = "SHUTOFF" if self.state == "SHUTOFF" else "ACTIVE"
        self.progress = progress

    def fail_rebuild(self, reason: str, stage: str, rebuild_id: str | None = None) -> None:
        self._check_under_way(rebuild_id)
        self._fail(reason, seconds(self.Event.create_timestamp()))
        if stage == "scheduling" and self.image_id != self.image_before:
            self._change_image(self.image_before)

    @event("RebuildFailed")
    def _fail(self, reason: str, created: str) -> None:
        self.rebuild_id = ""
        self.state = "ERROR"
        self.fault = {"code": 500, "created": created, "message": reason}

    # All else that may be asked of it

    def report_built(self) -> None:
        if self.state != "BUILD":
            raise NotAllowed(f"it is {self.status}")
        self._built()

    @event("Built")
    def _built(self) -> None:
        self.state = "ACTIVE"

    def rename(self, name: str) -> None:
        if name != self.name:
            self._rename(name)

    def change(
        self,
        name: str | None = None,
        access_ipv4: str | None = None,
        access_ipv6: str | None = None,
        disk_config: str | None = None,
    ) -> None:
        if name is not None:
            self.rename(name)
        self._set(access_ipv4, access_ipv6, disk_config)

    @event("Renamed")
    def _rename(self, name: str) -> None:
        self.name = name

    def change_metadata(self, metadata: dict[str, str], *, admin: bool = False) -> None:
        self._check_lock(admin)
        if self.state not in ("ACTIVE", "SHUTOFF"):
            raise NotAllowed(f"it is {self.status}")
        if metadata != self.metadata:
            self._replace_metadata(metadata)

    @event("MetadataReplaced")
    def _replace_metadata(self, metadata: dict[str, str]) -> None:
        self.metadata = metadata

    def lock(self, by: str) -> None:
        if self.locked_by not in (by, "admin"):
            self._lock(by)

    @event("Locked")
    def _lock(self, by: str) -> None:
        self.locked_by = by

    def unlock(self, *, admin: bool = False) -> None:
        if self.locked_by == "admin" and not admin:
            raise NotAllowed("an administrator locked it")
        if self.locked_by:
            self._unlock()

    @event("Unlocked")
    def _unlock(self) -> None:
        self.locked_by = ""

    def stop(self, *, admin: bool = False) -> None:
        self._check(admin, "ACTIVE", "ERROR")
        self._stop()

    @event("Stopped")
    def _stop(self) -> None:
        self.state = "SHUTOFF"

    def start(self, *, admin: bool = False) -> None:
        self._check(admin, "SHUTOFF")
        self._start()

    @event("Started")
    def _start(self) -> None:
        self.state = "ACTIVE"

    def reset_state(self, state: str, *, admin: bool = False) -> None:
        if not admin:
            raise NotAllowed("only an administrator resets a state")
        if self.status != state:
            self._reset_state(state)

    @event("StateReset")
    def _reset_state(self, state: str) -> None:
        self.state = state
        self.rebuild_id = ""

    def delete(self, *, admin: bool = False) -> None:
        self._check_lock(admin)
        self._delete()

    @event("Deleted")
    def _delete(self) -> None:
        self.deleted = True

    def _check(self, admin: bool, *allowed: str) -> None:
        self._check_lock(admin)
        if self.status not in allowed:
            raise NotAllowed(f"it is {self.status}")

    def _check_lock(self, admin: bool) -> None:
        if self.locked_by and not admin:
            raise NotAllowed(f"its {self.locked_by} locked it")

    def _check_under_way(self, rebuild_id: str | None) -> None:
        if not self.rebuild_id or rebuild_id not in (None, self.rebuild_id):
            raise NotAllowed("no such rebuild is under way")

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "accessIPv4": self.access_ipv4,
            "accessIPv6": self.access_ipv6,
            "addresses": self.addresses,
            "created": self.created,
            "flavor": {"id": self.flavor_id},
            "hostId": self.host_id,
            "id": str(self.id),
            "image": {"id": self.image_id},
            "metadata": self.metadata,
            "name": self.name,
            "progress": self.progress,
            "status": self.status,
            "tenant_id": self.project_id,
            "updated": seconds(self.modified_on),
            "user_id": self.user_id,
        }
        if self.status not in ("ACTIVE", "BUILD", "REBUILD"):
            del document["progress"]
        if self.status == "ERROR" and self.fault:
            document["fault"] = self.fault
        return document


def seconds(moment: Any) -> str:
    return f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}Z"


class Servers(Application[UUID]):
    def register(self, **members: Any) -> UUID:
        server = Server(**members)
        self.save(server)
        return server.id

    def rebuild(self, server_id: UUID, rebuild_id: str, image_id: str, **asked: Any) -> None:
        server = self._get(server_id)
        server.rebuild(rebuild_id, image_id, **asked)
        self.save(server)

    def report_built(self, server_id: UUID) -> None:
        server = self._get(server_id)
        server.report_built()
        self.save(server)

    def report_progress(self, server_id: UUID, percent: int, **asked: Any) -> None:
        server = self._get(server_id)
        server.report_progress(percent, **asked)
        self.save(server)

    def complete_rebuild(self, server_id: UUID, **asked: Any) -> None:
        server = self._get(server_id)
        server.complete_rebuild(**asked)
        self.save(server)

    def fail_rebuild(self, server_id: UUID, reason: str, stage: str, **asked: Any) -> None:
        server = self._get(server_id)
        server.fail_rebuild(reason, stage, **asked)
        self.save(server)

    def rename(self, server_id: UUID, name: str) -> None:
        server = self._get(server_id)
        server.rename(name)
        self.save(server)

    def change(self, server_id: UUID, **asked: Any) -> None:
        server = self._get(server_id)
        server.change(**asked)
        self.save(server)

    def update_metadata(
        self, server_id: UUID, metadata: dict[str, str], *, admin: bool = False
    ) -> None:
        server = self._get(server_id)
        server.change_metadata(server.metadata | metadata, admin=admin)
        self.save(server)

    def replace_metadata(
        self, server_id: UUID, metadata: dict[str, str], *, admin: bool = False
    ) -> None:
        server = self._get(server_id)
        server.change_metadata(metadata, admin=admin)
        self.save(server)

    def delete_metadata(
        self, server_id: UUID, keys: tuple[str, ...], *, admin: bool = False
    ) -> None:
        server = self._get(server_id)
        kept = {key: value for key, value in server.metadata.items() if key not in keys}
        server.change_metadata(kept, admin=admin)
        self.save(server)

    def lock(self, server_id: UUID, by: str) -> None:
        server = self._get(server_id)
        server.lock(by)
        self.save(server)

    def unlock(self, server_id: UUID, *, admin: bool = False) -> None:
        server = self._get(server_id)
        server.unlock(admin=admin)
        self.save(server)

    def stop(self, server_id: UUID, *, admin: bool = False) -> None:
        server = self._get(server_id)
        server.stop(admin=admin)
        self.save(server)

    def start(self, server_id: UUID, *, admin: bool = False) -> None:
        server = self._get(server_id)
        server.start(admin=admin)
        self.save(server)

    def reset_state(self, server_id: UUID, state: str, *, admin: bool = False) -> None:
        server = self._get(server_id)
        server.reset_state(state, admin=admin)
        self.save(server)

    def delete(self, server_id: UUID, *, admin: bool = False) -> None:
        server = self._get(server_id)
        server.delete(admin=admin)
        self.save(server)

    def get_server(self, server_id: UUID) -> dict[str, Any]:
        return self._get(server_id).document()

    def _get(self, server_id: UUID) -> Server:
        server: Server = self.repository.get(server_id)
        if server.deleted:
            raise AggregateNotFoundError(server_id)
        return server
